"""What the API is measured beside: FastAPI, one row read, one audit row committed, and no more."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from psycopg_pool import ConnectionPool

ADDRESS = "TIMEVALG_BENCHMARK_URL"
"""Names the database for the processes of the bare server."""
TABLES = """
CREATE TABLE bare_rows (id bigint PRIMARY KEY, patient text, state text, due date, version int);
CREATE TABLE bare_audit (id bigserial PRIMARY KEY, at timestamptz, who text, what bigint);
INSERT INTO bare_rows SELECT n, 'p-' || n, 'open', '2027-01-11', 3 FROM generate_series(0, 9999) n
"""
_READ = "SELECT patient, state, due, version FROM bare_rows WHERE id = %s"
_LOG = "INSERT INTO bare_audit (at, who, what) VALUES (clock_timestamp(), %s, %s)"


def make_app() -> FastAPI:
    """Put it together."""
    pool = ConnectionPool(os.environ[ADDRESS], min_size=4, max_size=15, open=False)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        pool.open()
        yield
        pool.close()

    app = FastAPI(lifespan=living)

    @app.get("/rows/{key}")
    def row(key: int) -> dict[str, object]:
        with pool.connection() as connection:
            found = connection.execute(_READ, [key]).fetchone()
            if found is None:
                raise HTTPException(404)
            patient, state, due, version = found
            connection.execute(_LOG, [patient, key])
        return {"patient": patient, "state": state, "due": due, "version": version}

    return app

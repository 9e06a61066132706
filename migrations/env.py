"""Run the migrations on the connection that is handed in, or on TIMEVALG_DATABASE_URL.

`timevalg.store.migrate` hands one in. `alembic revision --autogenerate` and the like read the
environment variable.
"""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from timevalg.store.database import dialect_of
from timevalg.store.tables import metadata


def migrate(connection: Connection) -> None:
    """Run them in the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Take the connection that is handed in, or make one."""
    handed: Connection | None = context.config.attributes.get("connection")
    if handed is not None:
        migrate(handed)
        return
    url = os.environ.get("TIMEVALG_DATABASE_URL") or context.config.get_main_option(
        "sqlalchemy.url"
    )
    if not url:
        raise SystemExit("name the database in TIMEVALG_DATABASE_URL, or use `timevalg db upgrade`")
    with dialect_of(url).engine(url).begin() as connection:
        migrate(connection)


main()

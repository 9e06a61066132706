"""What the program's own role may do on PostgreSQL: everything it does, and the audit only grows.

Triggers keep the log from those who forget; a role that owns no table keeps it from those who mean
to, for only an owner can take a trigger away. The tables' owner migrates.
"""

from __future__ import annotations

from sqlalchemy import text

from timevalg.model.errors import InvalidInput
from timevalg.store.kinds import AUDIT, SEALS
from timevalg.store.migrate import reaching, require_current
from timevalg.store.tables import metadata

APPENDED = (AUDIT.table, SEALS.table)
"""Tables to which rows are added, and no more."""
_ROLE = text("SELECT 1 FROM pg_roles WHERE rolname = :role")


def grant(url: str, role: str) -> None:
    """Give a role what the program needs, and take from it what it does not; after each upgrade.

    Parameters
    ----------
    url : str
        ``postgresql://…``, as the owner of the tables.
    role : str
        One that exists.

    Raises
    ------
    InvalidInput
        On another database, one that is not up to date, or if there is no such role.
    """
    with reaching(url) as engine:
        if engine.dialect.name != "postgresql":
            raise InvalidInput.single("database", "only PostgreSQL has roles")
        require_current(url)
        quote = engine.dialect.identifier_preparer.quote
        name = quote(role)
        changed = ", ".join(quote(t) for t in metadata.tables if t not in APPENDED)
        appended = ", ".join(map(quote, APPENDED))
        with engine.begin() as connection:
            if connection.execute(_ROLE, {"role": role}).first() is None:
                said = f"there is no role {role!r} on the server; CREATE ROLE makes it"
                raise InvalidInput.single("ROLE", said, "command line")
            schema = quote(str(connection.exec_driver_sql("SELECT current_schema()").scalar_one()))
            for statement in (
                f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}",
                f"GRANT USAGE ON SCHEMA {schema} TO {name}",
                f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
                f"GRANT SELECT ON alembic_version TO {name}",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON {changed} TO {name}",
                f"GRANT SELECT, INSERT ON {appended} TO {name}",
            ):
                connection.exec_driver_sql(statement)

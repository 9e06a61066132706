"""An order for the audit log, and the seals that show when it was changed.

Revision: 0004, after 0003, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIELDS = "id, time, organisation, principal, role, verb, subject, key, patient, channel, reason"
INDEXES = (("patient", "time"), ("subject", "key"), ("time",))
APPEND_ONLY_SQLITE = """
CREATE TRIGGER tr_{table}_append_only_{event} BEFORE {event} ON {table} BEGIN
    SELECT RAISE(ABORT, 'tr_audit_append_only');
END
"""


def upgrade() -> None:
    """Give each entry its place, old ones by time, and make the table of seals."""
    op.create_table(
        "audit_seals",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", words(), nullable=False),
        sa.Column("digest", words(), nullable=False),
        sa.Column("sealed_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_audit_seals"),
        sa.UniqueConstraint("organisation", "number", name="uq_audit_seals_organisation_number"),
    )
    if is_postgresql():
        op.execute("ALTER TABLE audit ADD COLUMN txid bigint NOT NULL DEFAULT 0")
        op.execute("ALTER TABLE audit ALTER COLUMN txid DROP DEFAULT")
        op.execute("ALTER TABLE audit ADD COLUMN seq bigserial NOT NULL")
        op.execute(
            "ALTER TABLE audit DROP CONSTRAINT pk_audit, ADD CONSTRAINT pk_audit PRIMARY KEY (seq)"
        )
        op.create_unique_constraint("uq_audit_organisation_id", "audit", ["organisation", "id"])
        op.execute(
            "CREATE TRIGGER tr_audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            " ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION tr_audit_append_only()"
        )
    else:
        order = (
            sa.Column("seq", sa.Integer(), nullable=False, autoincrement=True),
            sa.Column("txid", sa.BigInteger(), nullable=False),
        )
        keys = (
            sa.PrimaryKeyConstraint("seq", name="pk_audit"),
            sa.UniqueConstraint("organisation", "id", name="uq_audit_organisation_id"),
        )
        rebuild((*order, *entry(), *keys), "txid, ", "0, ", sqlite_autoincrement=True)
        for event in ("UPDATE", "DELETE"):
            op.execute(APPEND_ONLY_SQLITE.format(table="audit_seals", event=event))
    index("txid", "seq")


def downgrade() -> None:
    """Take order and seals away."""
    op.drop_table("audit_seals")
    op.drop_index("ix_audit_organisation_txid_seq", "audit")
    if is_postgresql():
        op.drop_constraint("uq_audit_organisation_id", "audit")
        op.execute(
            "ALTER TABLE audit DROP CONSTRAINT pk_audit,"
            " ADD CONSTRAINT pk_audit PRIMARY KEY (organisation, id)"
        )
        op.drop_column("audit", "seq")
        op.drop_column("audit", "txid")
    else:
        rebuild((*entry(), sa.PrimaryKeyConstraint("organisation", "id", name="pk_audit")), "", "")


def rebuild(parts: tuple[sa.schema.SchemaItem, ...], more: str, values: str, **kept: bool) -> None:
    """Make SQLite's table anew with the same entries; it cannot change a primary key."""
    op.execute("ALTER TABLE audit RENAME TO audit_before")
    for fields in INDEXES:
        op.drop_index("ix_audit_organisation_" + "_".join(fields), "audit_before")
    op.create_table("audit", *parts, **kept)
    op.execute(
        f"INSERT INTO audit ({more}{FIELDS}) SELECT {values}{FIELDS}"
        " FROM audit_before ORDER BY time, id"
    )
    op.drop_table("audit_before")
    for fields in INDEXES:
        index(*fields)
    for event in ("UPDATE", "DELETE"):
        op.execute(APPEND_ONLY_SQLITE.format(table="audit", event=event))


def entry() -> list[sa.Column[object]]:
    """Give the columns of an entry."""
    optional = {"patient"}
    types = {"time": instant()}
    return [
        sa.Column(name, types.get(name, words()), nullable=name in optional)
        for name in FIELDS.split(", ")
    ]


def index(*fields: str) -> None:
    """Make an index of an organisation's entries."""
    name = "ix_audit_organisation_" + "_".join(fields)
    op.create_index(name, "audit", ["organisation", *fields])


def is_postgresql() -> bool:
    """Tell the databases apart."""
    return op.get_context().dialect.name == "postgresql"


def words() -> sa.types.TypeEngine[str]:
    """Text that compares by code point."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def instant() -> sa.types.TypeEngine[int]:
    """Microseconds since 1970, UTC."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")

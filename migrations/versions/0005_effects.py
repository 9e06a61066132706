"""Who holds a lease, dropped work, how letters left, subscriptions and deliveries.

Revision: 0005, after 0004, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = "waiting leased done parked"
ADDED = {
    "work": ["owner"],
    "letters": ["address", "attempt", "sending_at"],
    "patients": ["email", "phone"],
}


def upgrade() -> None:
    _work_states(f"{STATES} dropped")
    for table, names in ADDED.items():
        for name in names:
            op.add_column(table, sa.Column(name, instant() if name.endswith("_at") else words()))
    op.create_table(
        "subscriptions",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("url", words(), nullable=False),
        sa.Column("secret", words(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("clinics", sa.Text(), nullable=False),
        sa.Column("deduplicates", sa.Boolean(), nullable=False),
        sa.Column("cursor", words(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_at", instant()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_subscriptions"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("subscription", words(), nullable=False),
        sa.Column("event", words(), nullable=False),
        sa.Column("stream", words(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", words(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("receipt", words(), nullable=False),
        sa.Column("attempt", words()),
        sa.Column("sending_at", instant()),
        sa.Column("sent_at", instant()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "organisation",
            "subscription",
            "event",
            name="uq_deliveries_organisation_subscription_event",
        ),
        one_of("deliveries", "state", "pending sending sent unknown stopped"),
    )
    index("deliveries", "state")
    index("deliveries", "subscription", "stream", "number")
    index("letters", "channel", "sending_at")
    index("work", "state", "kind", "clinic", "due_at")


def downgrade() -> None:
    op.drop_index("ix_work_organisation_state_kind_clinic_due_at", "work")
    op.drop_index("ix_letters_organisation_channel_sending_at", "letters")
    op.drop_table("deliveries")
    op.drop_table("subscriptions")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
    op.execute("UPDATE work SET state = 'done' WHERE state = 'dropped'")
    _work_states(STATES)


def _work_states(names: str) -> None:
    """Change which states work may have; SQLite makes the table anew."""
    with op.batch_alter_table("work") as batch:
        batch.drop_constraint(op.f("ck_work_state"), type_="check")
        batch.create_check_constraint(op.f("ck_work_state"), _among("state", names))


def words() -> sa.types.TypeEngine[str]:
    """Text that compares by code point."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def instant() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(table: str, column: str, names: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(_among(column, names), name=op.f(f"ck_{table}_{column}"))


def _among(column: str, names: str) -> str:
    quoted = ", ".join(f"'{name}'" for name in names.split())
    return f"{column} IN ({quoted})"


def index(table: str, *columns: str) -> None:
    name = "_".join(("ix", table, "organisation", *columns))
    op.create_index(op.f(name), table, ["organisation", *columns])

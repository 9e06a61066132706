"""Who may act for whom, and what is withheld from them.

Revision: 0007, after 0006, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "representations",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("patient", words(), nullable=False),
        sa.Column("representative", words(), nullable=False),
        sa.Column("basis", words(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("registered_at", instant(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("ends", sa.Date()),
        sa.Column("shares_address", sa.Boolean(), nullable=False),
        sa.Column("consents", sa.Boolean(), nullable=False),
        sa.Column("areas", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_representations"),
        sa.CheckConstraint(
            "basis IN ('parent', 'guardian', 'attorney')", name=op.f("ck_representations_basis")
        ),
    )
    index("representations", "patient")
    index("representations", "representative")
    op.create_table(
        "withholdings",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("patient", words(), nullable=False),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("since", instant(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_withholdings"),
    )
    index("withholdings", "patient")


def downgrade() -> None:
    op.drop_table("withholdings")
    op.drop_table("representations")


def words() -> sa.types.TypeEngine[str]:
    """Text that compares by code point."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def instant() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_organisation_{column}", table, ["organisation", column])

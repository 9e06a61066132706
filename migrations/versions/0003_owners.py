"""Who owns appointments; patients who are another, or have died; the staff list by ref.

Revision: 0003, after 0002, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, the columns and the index."""
    words = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ownerships",
        sa.Column("id", words, nullable=False),
        sa.Column("organisation", words, nullable=False),
        sa.Column("owner", words, nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("by", words, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_ownerships"),
        sa.CheckConstraint("owner IN ('record-system', 'timevalg')", name="owner"),
    )
    op.add_column("patients", sa.Column("merged_into", words))
    op.add_column("patients", sa.Column("deceased_at", instant))
    op.create_index("ix_cases_organisation_ref", "cases", ["organisation", "ref"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_cases_organisation_ref", "cases")
    op.drop_column("patients", "deceased_at")
    op.drop_column("patients", "merged_into")
    op.drop_table("ownerships")

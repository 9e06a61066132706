"""Answers to calls with idempotency keys.

Revision: 0002, after 0001, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    words = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("id", words, nullable=False),
        sa.Column("organisation", words, nullable=False),
        sa.Column("verb", words, nullable=False),
        sa.Column("payload", words, nullable=False),
        sa.Column("value", words, nullable=False),
        sa.Column("answered_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_answers"),
    )
    op.create_index(
        "ix_answers_organisation_answered_at", "answers", ["organisation", "answered_at"]
    )


def downgrade() -> None:
    """Drop it: whoever asks again is answered anew."""
    op.drop_table("answers")

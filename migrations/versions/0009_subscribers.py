"""By whose rights a receiver gets events.

Revision: 0009, after 0008, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    op.add_column("subscriptions", sa.Column("holder", words))


def downgrade() -> None:
    op.drop_column("subscriptions", "holder")

"""The terms that invitations to choose tell.

Revision: 0011, after 0010, 2026-11-27
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    op.add_column("letters", sa.Column("terms", words))


def downgrade() -> None:
    op.drop_column("letters", "terms")

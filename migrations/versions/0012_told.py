"""What letters tell of visits, and what patients chose.

Revision: 0012, after 0011, 2026-11-27
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ADDED = {"letters": "told", "appointments": "chosen"}


def upgrade() -> None:
    for table, name in ADDED.items():
        op.add_column(table, sa.Column(name, sa.Text()))


def downgrade() -> None:
    for table, name in ADDED.items():
        op.drop_column(table, name)

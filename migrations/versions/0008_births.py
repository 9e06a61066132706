"""Dates of birth as text, so that they can be sealed.

Revision: 0008, after 0007, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change(sa.Text(), "CAST(birth AS text)")


def downgrade() -> None:
    """Sealed ones cannot be taken back: they are dropped."""
    op.execute("UPDATE patients SET birth = NULL WHERE birth LIKE 'timevalg-sealed:%'")
    _change(sa.Date(), "CAST(birth AS date)")


def _change(kind: sa.types.TypeEngine[object], using: str) -> None:
    with op.batch_alter_table("patients") as batch:
        batch.alter_column("birth", type_=kind, postgresql_using=using)

"""Units and rights; who patients are; whence somebody looked.

Revision: 0006, after 0005, 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PERSON = "uq_patients_organisation_person"
ROLES = "patient representative planner secretary clinician system worker auditor operator"


def upgrade() -> None:
    op.add_column("audit", sa.Column("address", words()))
    with op.batch_alter_table("patients") as batch:
        batch.add_column(sa.Column("identity", words()))
        batch.add_column(sa.Column("person", words()))
        batch.add_column(sa.Column("birth", sa.Date()))
        batch.add_column(
            sa.Column("confidential", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.create_unique_constraint(op.f(PERSON), ["organisation", "person"])
    with op.batch_alter_table("patients") as batch:
        batch.alter_column("confidential", server_default=None)
    op.create_table(
        "units",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("name", words(), nullable=False),
        sa.Column("clinics", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_units"),
    )
    op.create_table(
        "verifications",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("since", instant(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_verifications"),
    )
    op.create_table(
        "rights",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("holder", words(), nullable=False),
        sa.Column("role", words(), nullable=False),
        sa.Column("starts", instant(), nullable=False),
        sa.Column("given_at", instant(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("unit", words()),
        sa.Column("clinic", words()),
        sa.Column("ends", instant()),
        sa.Column("giver", words()),
        sa.Column("may_delegate", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", instant()),
        sa.Column("revoked_by", words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_rights"),
        sa.CheckConstraint(
            "role IN ({})".format(", ".join(f"'{role}'" for role in ROLES.split())),
            name=op.f("ck_rights_role"),
        ),
    )
    op.create_index("ix_rights_organisation_holder", "rights", ["organisation", "holder"])


def downgrade() -> None:
    op.drop_table("rights")
    op.drop_table("verifications")
    op.drop_table("units")
    with op.batch_alter_table("patients") as batch:
        batch.drop_constraint(op.f(PERSON), type_="unique")
        for name in ("confidential", "birth", "person", "identity"):
            batch.drop_column(name)
    op.drop_column("audit", "address")


def words() -> sa.types.TypeEngine[str]:
    """Text that compares by code point."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def instant() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")

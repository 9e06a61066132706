"""Everything: tables, what is unique, claims that cannot overlap, an audit that only grows.

Revision: 0001, after nothing, 2026-11-22
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NO_OVERLAP = """
ALTER TABLE claims ADD CONSTRAINT ex_claims_no_overlap EXCLUDE USING gist (
    organisation WITH =, subject WITH =, int8range(starts_at, ends_at) WITH &&
)
"""

# Claims that are there do not overlap each other, so a new one overlaps any of them if and only
# if it overlaps the last that starts before it or the first that starts after it.
NO_OVERLAP_SQLITE = """
CREATE TRIGGER ex_claims_no_overlap_{name} BEFORE {event} ON claims BEGIN
    SELECT RAISE(ABORT, 'ex_claims_no_overlap')
    WHERE NEW.starts_at < (
        SELECT ends_at FROM claims
        WHERE organisation = NEW.organisation AND subject = NEW.subject
            AND starts_at <= NEW.starts_at {others}
        ORDER BY starts_at DESC LIMIT 1
    ) OR NEW.ends_at > (
        SELECT starts_at FROM claims
        WHERE organisation = NEW.organisation AND subject = NEW.subject
            AND starts_at > NEW.starts_at {others}
        ORDER BY starts_at LIMIT 1
    );
END
"""

APPEND_ONLY = (
    """
    CREATE FUNCTION tr_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'tr_audit_append_only' USING
            ERRCODE = 'restrict_violation', CONSTRAINT = 'tr_audit_append_only';
    END $$
    """,
    """
    CREATE TRIGGER tr_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION tr_audit_append_only()
    """,
)

APPEND_ONLY_SQLITE = """
CREATE TRIGGER tr_audit_append_only_{event} BEFORE {event} ON audit BEGIN
    SELECT RAISE(ABORT, 'tr_audit_append_only');
END
"""


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("patient", words(), nullable=False),
        sa.Column("pools", sa.Text(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("not_after", sa.Date(), nullable=False),
        sa.Column("not_before", sa.Date()),
        sa.Column("deadline", sa.Date()),
        sa.Column("ref", words()),
        sa.Column("referral", words()),
        sa.Column("mode", words(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("only", sa.Text(), nullable=False),
        sa.Column("times", sa.Text(), nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("preparations", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("letters", sa.Boolean(), nullable=False),
        sa.Column("staff_may_wait", sa.Boolean(), nullable=False),
        sa.Column("note", words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_tasks"),
        one_of("tasks", "mode", "choose allot request"),
        one_of(
            "tasks",
            "state",
            "draft scheduled open overdue none-suits with-staff chosen"
            " assigned confirmed declined withdrawn",
        ),
        sa.UniqueConstraint("organisation", "ref", name="uq_tasks_organisation_ref"),
    )
    index("tasks", "clinic", "state")
    index("tasks", "patient")
    index("tasks", "referral")
    index("tasks", "state", "due")
    op.create_table(
        "appointments",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("service", words(), nullable=False),
        sa.Column("start", instant(), nullable=False),
        sa.Column("wall", words(), nullable=False),
        sa.Column("zone", words(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("origin", words(), nullable=False),
        sa.Column("patient", words()),
        sa.Column("pool", words()),
        sa.Column("task", words()),
        sa.Column("session", words()),
        sa.Column("ref", words()),
        sa.Column("ref_version", sa.Integer()),
        sa.Column("state", words(), nullable=False),
        sa.Column("created_at", instant()),
        sa.Column("lettered_at", instant()),
        sa.Column("lettered_start", instant()),
        sa.Column("acknowledged_at", instant()),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("moves_by_patient", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_appointments"),
        one_of("appointments", "origin", "chosen assigned allotted imported"),
        one_of("appointments", "state", "booked arrived fulfilled cancelled no-show"),
        sa.UniqueConstraint("organisation", "ref", name="uq_appointments_organisation_ref"),
    )
    index("appointments", "clinic", "start")
    index("appointments", "patient")
    index("appointments", "session")
    index("appointments", "state", "start")
    live = sa.text("state IN ('booked', 'arrived', 'fulfilled')")
    op.create_index(
        "uq_appointments_organisation_task_live",
        "appointments",
        ["organisation", "task"],
        unique=True,
        postgresql_where=live,
        sqlite_where=live,
    )
    index("appointments", "task")
    op.create_table(
        "preparations",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("appointment", words(), nullable=False),
        sa.Column("rule", words(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("start", sa.Date()),
        sa.Column("state", words(), nullable=False),
        sa.Column("answer", words(), nullable=False),
        sa.Column("done_at", instant()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_preparations"),
        one_of("preparations", "state", "planned started overdue done void"),
    )
    index("preparations", "appointment")
    index("preparations", "state", "due")
    op.create_table(
        "letters",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("patient", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("language", words(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("task", words()),
        sa.Column("appointment", words()),
        sa.Column("state", words(), nullable=False),
        sa.Column("subject", words(), nullable=False),
        sa.Column("html", words(), nullable=False),
        sa.Column("text", words(), nullable=False),
        sa.Column("channel", words(), nullable=False),
        sa.Column("receipt", words(), nullable=False),
        sa.Column("sent_at", instant()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_letters"),
        one_of("letters", "state", "pending sending sent unknown stopped"),
    )
    index("letters", "appointment")
    index("letters", "patient")
    index("letters", "state")
    index("letters", "task")
    op.create_table(
        "patients",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("language", words(), nullable=False),
        sa.Column("name", words(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_patients"),
    )
    op.create_table(
        "cases",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("task", words()),
        sa.Column("appointment", words()),
        sa.Column("ref", words()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("closed_at", instant()),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_cases"),
    )
    index("cases", "appointment")
    index("cases", "clinic", "closed_at")
    index("cases", "task")
    op.create_table(
        "publications",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", instant(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("calendars", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_publications"),
        sa.UniqueConstraint(
            "organisation", "clinic", "version", name="uq_publications_organisation_clinic_version"
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("start", instant(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("service", words()),
        sa.Column("pool", words()),
        sa.Column("task", words()),
        sa.Column("patient", words()),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("until", instant()),
        sa.Column("is_place", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_sessions"),
        sa.CheckConstraint(
            "(kind = 'hold') = (until IS NOT NULL)", name=op.f("ck_sessions_hold_until")
        ),
        one_of("sessions", "kind", "hold booking place block"),
        sa.CheckConstraint("length > 0", name=op.f("ck_sessions_length")),
    )
    index("sessions", "patient")
    index("sessions", "pool", "start")
    index("sessions", "start")
    index("sessions", "task")
    index("sessions", "until")
    op.create_table(
        "claims",
        sa.Column("organisation", words(), nullable=False),
        sa.Column("session_id", words(), nullable=False),
        sa.Column("subject", words(), nullable=False),
        sa.Column("starts_at", instant(), nullable=False),
        sa.Column("ends_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "session_id", "subject", name="pk_claims"),
        sa.CheckConstraint(
            "starts_at >= 0 AND ends_at <= 7258118400000000", name=op.f("ck_claims_bounds")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_claims_span")),
        sa.CheckConstraint(
            "substr(subject, 1, 2) IN ('r:', 'p:') AND length(subject) > 2",
            name=op.f("ck_claims_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation", "session_id"],
            ["sessions.organisation", "sessions.id"],
            name="fk_claims_sessions",
            ondelete="CASCADE",
        ),
        sqlite_strict=True,
    )
    index("claims", "subject", "starts_at")
    op.create_table(
        "events",
        sa.Column("seq", serial(), nullable=False, autoincrement=True),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("id", words(), nullable=False),
        sa.Column("type", words(), nullable=False),
        sa.Column("time", instant(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("subject", words(), nullable=False),
        sa.Column("key", words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", words(), nullable=False),
        sa.Column("channel", words(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("origin", words(), nullable=False),
        sa.Column("task", words()),
        sa.Column("appointment", words()),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("organisation", "id", name="uq_events_organisation_id"),
        sqlite_autoincrement=True,
    )
    index("events", "subject", "key")
    index("events", "txid", "seq")
    op.create_table(
        "work",
        sa.Column("id", words(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("clinic", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("entity", words(), nullable=False),
        sa.Column("due_at", instant(), nullable=False),
        sa.Column("effect", words(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", instant()),
        sa.Column("error", words(), nullable=False),
        sa.Column("done_at", instant()),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_work"),
        one_of("work", "state", "waiting leased done parked"),
        sa.UniqueConstraint("organisation", "effect", name="uq_work_organisation_effect"),
    )
    index("work", "kind", "entity")
    index("work", "state", "due_at")
    op.create_table(
        "audit",
        sa.Column("id", words(), nullable=False),
        sa.Column("time", instant(), nullable=False),
        sa.Column("organisation", words(), nullable=False),
        sa.Column("principal", words(), nullable=False),
        sa.Column("role", words(), nullable=False),
        sa.Column("verb", words(), nullable=False),
        sa.Column("subject", words(), nullable=False),
        sa.Column("key", words(), nullable=False),
        sa.Column("patient", words()),
        sa.Column("channel", words(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_audit"),
    )
    index("audit", "patient", "time")
    index("audit", "subject", "key")
    index("audit", "time")
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(NO_OVERLAP)
        for statement in APPEND_ONLY:
            op.execute(statement)
    else:
        op.execute(NO_OVERLAP_SQLITE.format(name="insert", event="INSERT", others=""))
        # Of any column: rowid has three names, and a REPLACE must not slip past either.
        op.execute(
            NO_OVERLAP_SQLITE.format(name="update", event="UPDATE", others="AND rowid <> OLD.rowid")
        )
        for event in ("UPDATE", "DELETE"):
            op.execute(APPEND_ONLY_SQLITE.format(event=event))


def downgrade() -> None:
    """Drop everything but the extension, which others may use."""
    for table in TABLES:
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tr_audit_append_only")


TABLES = (
    "audit",
    "work",
    "events",
    "claims",
    "sessions",
    "publications",
    "cases",
    "patients",
    "letters",
    "preparations",
    "appointments",
    "tasks",
)


def words() -> sa.types.TypeEngine[str]:
    """Text that compares by code point."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def instant() -> sa.types.TypeEngine[int]:
    """Microseconds since 1970, UTC."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def serial() -> sa.types.TypeEngine[int]:
    """A number that only grows; SQLite knows it by the name INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(table: str, column: str, names: str) -> sa.CheckConstraint:
    """A column that holds one of some names."""
    quoted = ", ".join(f"'{name}'" for name in names.split())
    return sa.CheckConstraint(f"{column} IN ({quoted})", name=op.f(f"ck_{table}_{column}"))


def index(table: str, *columns: str) -> None:
    """Index columns after the organisation."""
    op.create_index(
        f"ix_{table}_organisation_{'_'.join(columns)}", table, ["organisation", *columns]
    )

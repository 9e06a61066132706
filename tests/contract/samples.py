"""Values to store, some of them awkward."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from timevalg.model.appointment import Appointment, Origin, Preparation, Told
from timevalg.model.principal import RoleName
from timevalg.model.records import (
    Answer,
    AuditEntry,
    Event,
    Letter,
    Owner,
    Ownership,
    Patient,
    Publication,
    StaffCase,
    Verification,
    Work,
)
from timevalg.model.representation import Basis, Representation, Withholding
from timevalg.model.right import Right, Unit
from timevalg.model.roster import Hours
from timevalg.model.service import PreparationRule
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import LetterState, PreparationState, TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.text import Text
from timevalg.model.time import Span

ORG = "999999999"
OTHER = "888888888"
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
AWKWARD = "Ælfgifu «Kåre» O'Neill \\ \" % _ ; DROP 'x' \u202e \n\t 𝔘 🩺 čáŋžđŧ"


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


def session(
    key: str = "s-1",
    start: float = 0,
    length: int = 30,
    resources: tuple[str, ...] = ("dr-berg",),
    *,
    patient: str | None = None,
    kind: SessionKind = SessionKind.BOOKING,
    until: datetime | None = None,
    task: str | None = None,
) -> Session:
    return Session(
        id=key,
        kind=kind,
        clinic="gastro",
        start=at(start),
        length=length,
        pool="colonoscopy-first",
        task=task,
        patient=patient,
        resources={"doctor": resources},
        spans={r: span(start, start + length) for r in resources},
        until=until,
    )


def task(key: str = "t-1", **fields: object) -> Task:
    given: dict[str, object] = {
        "id": key,
        "organisation": ORG,
        "clinic": "gastro",
        "patient": "p-1",
        "pools": ("colonoscopy-first",),
        "opens": date(2027, 1, 4),
        "due": date(2027, 1, 11),
        "not_after": date(2027, 2, 12),
    }
    return Task(**(given | fields))  # type: ignore[arg-type]  # fields by name


def appointment(key: str = "a-1", **fields: object) -> Appointment:
    given: dict[str, object] = {
        "id": key,
        "organisation": ORG,
        "clinic": "gastro",
        "service": "colonoscopy",
        "start": NINE,
        "wall": "2027-01-04T10:00",
        "zone": "Europe/Oslo",
        "length": 60,
        "resources": {"doctor": ("dr-berg",)},
        "origin": Origin.CHOSEN,
    }
    return Appointment(**(given | fields))  # type: ignore[arg-type]  # fields by name


def work(key: str = "w-1", due: float = 0, **fields: object) -> Work:
    given: dict[str, object] = {
        "id": key,
        "organisation": ORG,
        "clinic": "gastro",
        "kind": "letter",
        "entity": "a-1",
        "due_at": at(due),
        "effect": f"effect of {key}",
    }
    return Work(**(given | fields))  # type: ignore[arg-type]  # fields by name


def event(key: str = "e-1", **fields: object) -> Event:
    given: dict[str, object] = {
        "id": key,
        "type": "task.opened",
        "time": NINE,
        "organisation": ORG,
        "clinic": "gastro",
        "subject": "task",
        "key": "t-1",
        "version": 2,
        "by": "dips",
        "channel": "library",
    }
    return Event(**(given | fields))  # type: ignore[arg-type]  # fields by name


def entry(key: str = "u-1", minutes: float = 0) -> AuditEntry:
    return AuditEntry(
        key, at(minutes), ORG, "u-7", "planner", "look", "task", "t-1", "p-1", "web", AWKWARD
    )


FULL_TASK = task(
    ref="dips:oppgave/4711",
    referral="henv/9",
    patient=AWKWARD,
    pools=("b", "a", "ø"),
    not_before=date(2027, 1, 18),
    deadline=date(2027, 3, 1),
    mode=Mode.ALLOT,
    priority=1,
    only={"doctor": ("dr-berg", "dr-lie"), "room": ()},
    times=(
        Hours(frozenset({1, 0}), 600, 870),
        Hours(weeks=frozenset({1, 3}), of=4, since=date(2027, 1, 4), valid_to=date(2028, 2, 29)),
    ),
    extra=15,
    preparations=(PreparationRule("blood", Text((("nb", AWKWARD), ("en", "Blood"))), "test", 7),),
    done=frozenset({"mrsa", "æ", "b"}),
    state=TaskState.NONE_SUITS,
    letters=False,
    staff_may_wait=True,
    note=AWKWARD,
)

EXAMPLES: dict[str, tuple[object, ...]] = {
    "tasks": (FULL_TASK, task("t-2")),
    "appointments": (
        appointment(
            resources={"nurse": ("n-2", "n-1"), "room": ("chair/3",)},
            patient="p-1",
            task="t-1",
            session="s-1",
            ref="kontakt/88",
            ref_version=7,
            start=datetime(2027, 1, 4, 9, 0, 0, 1, tzinfo=UTC),
            created_at=datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            lettered_at=datetime(2400, 1, 1, tzinfo=UTC),
            chosen=Told(NINE, NINE, "talk", 30, (), ()),
            moves=2,
        ),
        appointment("a-2"),
    ),
    "preparations": (
        Preparation(
            "n-1",
            ORG,
            "gastro",
            "a-1",
            "bowel",
            {"nb": AWKWARD, "se": ""},
            "instruction",
            "patient",
            due=date(2027, 1, 3),
            start=date(2026, 12, 28),
            state=PreparationState.DONE,
            answer=AWKWARD,
            done_at=NINE,
        ),
    ),
    "letters": (
        Letter(
            "l-1",
            ORG,
            "gastro",
            "p-1",
            "choice",
            "nb",
            NINE,
            state=LetterState.UNKNOWN,
            subject=AWKWARD,
            html=f"<p>{AWKWARD}</p>" * 2000,
            text=AWKWARD,
            sent_at=NINE,
            terms=AWKWARD,
            told=Told(NINE, NINE, AWKWARD, 30, ("doctor",), ("dr-a", "dr-b")),
        ),
    ),
    "patients": (
        Patient("p-1", ORG, "se", AWKWARD),
        Patient(AWKWARD, ORG),
        Patient("p-3", ORG, identity="x", person="y", birth=date(2015, 2, 28), confidential=True),
        Patient("p-2", ORG, merged_into="p-1", deceased_at=NINE),
    ),
    "ownerships": (Ownership("appointments", ORG, Owner.TIMEVALG, NINE, AWKWARD),),
    "units": (Unit("u-1", ORG, AWKWARD, ("gastro", AWKWARD)),),
    "rights": (
        Right(
            "r-2",
            ORG,
            "hpr:1",
            RoleName.PLANNER,
            NINE,
            NINE,
            AWKWARD,
            clinic="gastro",
            ends=at(5),
            giver="r-1",
            revoked_at=at(1),
            revoked_by=AWKWARD,
        ),
        Right("r-1", ORG, AWKWARD, RoleName.AUDITOR, NINE, NINE, "x", may_delegate=True),
    ),
    "representations": (
        Representation(
            "r-1",
            ORG,
            "p-1",
            AWKWARD,
            Basis.PARENT,
            date(2027, 1, 4),
            NINE,
            AWKWARD,
            ends=date(2028, 2, 29),
            shares_address=True,
            areas=("appointments", AWKWARD),
        ),
    ),
    "withholdings": (Withholding("t:t-1", ORG, "p-1", True, NINE, AWKWARD),),
    "verifications": (Verification("verification", ORG, NINE, AWKWARD),),
    "cases": (
        StaffCase(
            "c-1",
            ORG,
            "gastro",
            "conflict",
            NINE,
            AWKWARD,
            detail={"with": ["a-1", None, 1.5, True], AWKWARD: {"deep": {"er": []}}},
        ),
    ),
    "answers": (Answer("0" * 64, ORG, "choose", "f" * 64, f'{{"name":"{AWKWARD}"}}', NINE),),
    "publications": (
        Publication(
            "v-1",
            ORG,
            "gastro",
            1,
            NINE,
            "planner",
            {"z": 1, "a": {"NO": "9:00", "x": [1, "1"]}},
            {"dr-berg.ics": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
        ),
    ),
}

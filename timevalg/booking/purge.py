"""Purge: remove what has been kept long enough, and say what is kept and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timevalg.booking.acting import Act
from timevalg.booking.claiming import release
from timevalg.booking.own import require_whole
from timevalg.booking.ports import Ports
from timevalg.booking.represented import ZONE, thread_of
from timevalg.booking.running import glance, run
from timevalg.booking.unit_of_work import Between, UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.appointment import Appointment
from timevalg.model.principal import Principal
from timevalg.model.records import Patient
from timevalg.model.retention import CLASSES, Retention
from timevalg.model.states import AppointmentState, LetterState, TaskState
from timevalg.model.task import Task
from timevalg.model.time import local_date

OVER = frozenset({AppointmentState.FULFILLED, AppointmentState.CANCELLED, AppointmentState.NO_SHOW})
"""States in which a visit is no longer to come; one that nobody said anything of is not over."""
AT_ONCE = 200
"""Things removed in one transaction."""

Rows = dict[str, set[str]]
"""Table → ids."""


@dataclass(frozen=True)
class Thing:
    """Something that goes with all that belongs to it."""

    kind: str
    value: Any

    @property
    def patient(self) -> str | None:
        """Whose it is."""
        return self.value.id if self.kind == "patient" else getattr(self.value, "patient", None)


@dataclass(frozen=True)
class Chosen:
    """What of a class goes, and how many things of it stay."""

    things: list[Thing]
    kept: int


@dataclass(frozen=True)
class Purged:
    """What came, or would come, of one class.

    Attributes
    ----------
    before : datetime or None
        What was over before is removed; None = nothing is.
    removed : mapping
        Table → rows.
    kept : int
        Things of the class that stay.
    """

    retention: Retention
    before: datetime | None
    removed: Mapping[str, int]
    kept: int


@use_case("purge", keyed=False)
def purge(
    ports: Ports,
    principal: Principal,
    apply: bool = False,
    classes: tuple[Retention, ...] = CLASSES,
) -> tuple[Purged, ...]:
    """Say what each class of data would lose now and why the rest is kept; or let it go.

    Parameters
    ----------
    apply : bool
        Remove it; each thing that goes is written down. In small transactions: stopped half-way,
        it is simply done again.
    """
    require_whole(principal, "purge")
    return tuple(_purge(ports, principal, retention, apply) for retention in classes)


def _purge(ports: Ports, principal: Principal, retention: Retention, apply: bool) -> Purged:
    choose = CHOOSE[retention.name]

    def look(act: Act) -> tuple[Chosen, datetime | None, Counter[str]]:
        before = retention.before(act.unit.now())
        chosen = choose(act.unit, before, None)
        return chosen, before, Counter() if apply else _counted(_rows(act.unit, chosen.things))

    def remove(keys: Collection[str]) -> Callable[[Act], Counter[str]]:
        def body(act: Act) -> Counter[str]:
            act.unit.lock([f"t:{key}" for key in keys])
            before = retention.before(act.unit.now())
            things = choose(act.unit, before, keys).things  # those of which it is still true
            rows = _rows(act.unit, things)
            for table, ids in rows.items():
                if table == "sessions":
                    release(act, act.unit.sessions.find(id=frozenset(ids)))
                else:
                    getattr(act.unit, table).remove(ids)
            for thing in things:
                act.audit(thing.kind, thing.value.id, thing.patient)
            return _counted(rows)

        return body

    chosen, before, removed = glance(ports, principal, "purge", look)
    keys = [thing.value.id for thing in chosen.things] if apply else []
    for n in range(0, len(keys), AT_ONCE):
        body = remove(keys[n : n + AT_ONCE])
        removed += run(ports, principal, "purge", body, reason=f"{retention.name} data")
    return Purged(retention, before, dict(removed), chosen.kept)


def _counted(rows: Rows) -> Counter[str]:
    return +Counter({table: len(ids) for table, ids in rows.items()})


# -- what goes: a function for each class ----------------------------------------------------------

Choose = Callable[[UnitOfWork, "datetime | None", "Collection[str] | None"], Chosen]
"""(unit, before, only these ids) → what goes."""


def _technical(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    found = unit.deliveries.find(state={LetterState.SENT, LetterState.STOPPED}, **_only(only))
    old = [Thing("delivery", d) for d in found if before and d.created_at < before]
    return Chosen(old, len(found) - len(old))


def _unused(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    found = unit.tasks.find(state=TaskState.WITHDRAWN, **_only(only))
    never = [t for t in found if not unit.appointments.count(task=t.id)]
    day = before and local_date(before, ZONE)
    old = [Thing("task", t) for t in never if day and t.not_after < day]
    return Chosen(old, len(never) - len(old))


def _record(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    """A task goes with all its visits, once the last of them has been over for so long."""
    if before is None:
        return Chosen([], unit.appointments.count())
    to_go: dict[str, Task | Appointment] = {}
    for visit in unit.appointments.find(state=OVER, start=Between(high=before)):
        thing = unit.tasks.get(visit.task) if visit.task else visit
        if only is None or thing.id in only:
            to_go[thing.id] = thing
    gone = [t for t in to_go.values() if isinstance(t, Appointment) or _is_over(unit, t, before)]
    things = [Thing("task" if isinstance(t, Task) else "appointment", t) for t in gone]
    visits = sum(len(_visits(unit, t)) for t in gone)
    return Chosen(things, unit.appointments.count() - visits)


def _is_over(unit: UnitOfWork, task: Task, before: datetime) -> bool:
    ended = {TaskState.CONFIRMED, TaskState.WITHDRAWN}
    visits = _visits(unit, task)
    return task.state in ended and all(v.state in OVER and v.start < before for v in visits)


def _contact(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    """The last look at a patient, or change, tells since when nothing was done for them."""
    found = unit.patients.find(**_only(only))
    merged = {p.merged_into for p in unit.patients.find(merged_into=Between())}
    things = []
    for patient in found:
        kinds = (unit.tasks, unit.appointments, unit.letters)
        if patient.id in merged or any(kind.count(patient=patient.id) for kind in kinds):
            continue
        last = unit.audit.find(order="-time", limit=1, patient=patient.id)
        if before and (not last or last[0].time < before):
            things.append(Thing("patient", patient))
    return Chosen(things, len(found) - len(things))


def _authority(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    found = unit.representations.find(ends=Between(), **_only(only))
    day = before and local_date(before, ZONE)
    old = [Thing("representation", r) for r in found if day and r.ends and r.ends < day]
    return Chosen(old, unit.representations.count() - len(old))


def _log(unit: UnitOfWork, before: datetime | None, only: Collection[str] | None) -> Chosen:
    return Chosen([], sum(seal.count for seal in unit.seals.find()) + unit.rights.count())


CHOOSE: Mapping[str, Choose] = {
    "technical": _technical,
    "unused": _unused,
    "record": _record,
    "contact": _contact,
    "authority": _authority,
    "log": _log,
}


def _only(keys: Collection[str] | None) -> dict[str, Any]:
    return {} if keys is None else {"id": frozenset(keys)}


# -- what goes with it -----------------------------------------------------------------------------


def _rows(unit: UnitOfWork, things: Iterable[Thing]) -> Rows:
    rows: Rows = defaultdict(set)
    for thing in things:
        if isinstance(thing.value, Task | Appointment):
            _add_thread(unit, thing.value, rows)
        elif isinstance(thing.value, Patient):
            rows["patients"].add(thing.value.id)
            told = unit.events.of("patient", thing.value.id, above=-1)
            rows["events"] |= {event.id for event in told}
            for bond in unit.representations.find(patient=thing.value.id):
                rows["representations"].add(bond.id)
        else:
            tables = {"delivery": "deliveries", "representation": "representations"}
            rows[tables[thing.kind]].add(thing.value.id)
    return rows


def _add_thread(unit: UnitOfWork, thing: Task | Appointment, rows: Rows) -> None:
    """Everything about a task and its visits; their time is long over and is given back too."""
    visits = _visits(unit, thing)
    told = [("appointment", v.id) for v in visits]
    if isinstance(thing, Task):
        rows["tasks"].add(thing.id)
        told.append(("task", thing.id))
    for field, ids in (("task", {thing.id}), ("appointment", {v.id for v in visits})):
        for table, kind in (("letters", "letter"), ("cases", "case")):
            found = getattr(unit, table).find(**{field: ids})
            rows[table] |= {row.id for row in found}
            told += [(kind, row.id) for row in found]
    prepared = unit.preparations.find(appointment={v.id for v in visits})
    rows["preparations"] |= {p.id for p in prepared}
    told += [("preparation", p.id) for p in prepared]
    rows["appointments"] |= {v.id for v in visits}
    rows["sessions"] |= {v.session for v in visits if v.session}
    rows["withholdings"] |= {w.id for w in unit.withholdings.find(id=thread_of(thing))}
    rows["events"] |= {e.id for kind, key in told for e in unit.events.of(kind, key, above=-1)}
    entities = {key for _, key in told}
    rows["work"] |= {w.id for w in unit.work.find(entity=entities)}


def _visits(unit: UnitOfWork, thing: Task | Appointment) -> list[Appointment]:
    return unit.appointments.find(task=thing.id) if isinstance(thing, Task) else [thing]

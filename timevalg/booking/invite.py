"""Invite: a task is sent only if it gets a valid place; else the shortage is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act, clinic_of, task_facts
from timevalg.booking.attempts import settle
from timevalg.booking.claiming import Wanted, claim_all, whole_picture
from timevalg.booking.opening import open_if_time
from timevalg.booking.patients import known_patients, require_living, require_pseudonymous
from timevalg.booking.ports import Ports
from timevalg.booking.regain import regain_first, with_places_regained
from timevalg.booking.running import glance, note_looks, picture_of
from timevalg.booking.terms import require_terms, require_to_come
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput, NotServable, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.session import Session
from timevalg.model.states import TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import instant, local_date
from timevalg.solver.complete import settle_plan
from timevalg.solver.picture import Picture
from timevalg.solver.places import Plan, plan
from timevalg.solver.shortage import Shortage, shortages

WAIT = 12.0
"""Seconds that proving may take in all, of those for which whoever asks will wait."""


@dataclass(frozen=True)
class Invitation:
    """What came of one invitation: the task, or why it was not sent.

    Attributes
    ----------
    task : Task or None
        Scheduled or open, with a place; None if nothing was sent.
    shortage : Shortage or None
        What is missing.
    draft : Task or None
        What stays behind with the planner when nothing was sent.
    """

    task: Task | None
    shortage: Shortage | None = None
    draft: Task | None = None


@dataclass(frozen=True)
class Planned:
    """What inviting somebody would come to.

    Attributes
    ----------
    task : Task
        As it would be sent.
    place : Session or None
        Where it would have its place; None for one that is not servable, or not to be sent.
    zone : ZoneInfo
        The clinic's, in which that is told.
    """

    task: Task
    place: Session | None
    zone: ZoneInfo
    shortage: Shortage | None = None


@dataclass(frozen=True)
class InvitationPlan:
    """What inviting many at once would come to, in the order asked.

    Attributes
    ----------
    proven : bool
        Whether no plan serves more.
    """

    invitations: tuple[Planned, ...]
    proven: bool

    @property
    def servable(self) -> tuple[Planned, ...]:
        """Those that can be sent."""
        return tuple(p for p in self.invitations if p.shortage is None)

    @property
    def unservable(self) -> tuple[Planned, ...]:
        """Those that cannot, each with its shortage."""
        return tuple(p for p in self.invitations if p.shortage is not None)


@dataclass(frozen=True)
class Admission:
    """The plan for tasks that somebody wants to send.

    Attributes
    ----------
    asked : tuple of str
        For each task asked, the id of the one that it is.
    tasks : mapping
        All of them once, by id, known ones as they are stored.
    stored : set of str
        Ids of the known ones.
    made : Plan
    shortages : mapping
        Of those without a place.
    """

    asked: tuple[str, ...]
    tasks: Mapping[str, Task]
    stored: Set[str]
    made: Plan
    shortages: Mapping[str, Shortage]
    proven: bool

    def replanned(self, picture: Picture) -> Admission:
        """Plan again, by repair alone, on the picture as it is under the organisation's lock.

        Raises
        ------
        TimeTaken
            If somebody goes without now who had a place: why is found out before any lock.
        """
        made = plan(picture, [t for t in self.tasks.values() if _is_to_send(t)], picture.now)
        without = [t.id for t in made.unplaced]
        if not self.shortages.keys() >= set(without):
            raise TimeTaken("a place that was planned")
        return replace(self, made=made, shortages={key: self.shortages[key] for key in without})


@use_case("plan invitations", keyed=False)
def plan_invitations(ports: Ports, principal: Principal, tasks: Sequence[Task]) -> InvitationPlan:
    """Say what inviting these tasks would come to; nothing is kept for them.

    Parameters
    ----------
    tasks : sequence of Task
        As for `invite`.
    """
    scope_of("plan invitations", principal)
    tasks = _named(ports, tasks)
    picture = picture_of(ports, principal)
    picture = with_places_regained(picture)
    admission = _plan(ports, principal, "plan invitations", picture, tasks)
    places, short = {c.claim.task: c.claim for c in admission.made.placed}, admission.shortages
    note_looks(ports, principal, "plan invitations", admission.tasks.values())
    return InvitationPlan(
        tuple(
            Planned(t, places.get(t.id), clinic_of(picture, t).timezone, short.get(t.id))
            for t in map(admission.tasks.__getitem__, admission.asked)
        ),
        admission.proven,
    )


@use_case("invite")
def invite(
    ports: Ports, principal: Principal, tasks: Sequence[Task], all_or_nothing: bool = False
) -> list[Invitation]:
    """Admit tasks and schedule or open each one that gets a valid place.

    All are planned together; those that can be served are sent, the others stay drafts. A task
    whose ref (or id) is known already is given back as it is: the same ref twice is the same task.

    Parameters
    ----------
    tasks : sequence of Task
        Drafts, each of a clinic that the principal may act for; one without an id gets one.
    all_or_nothing : bool
        Send nothing, and keep no drafts, if any of them cannot be served.

    Raises
    ------
    NotFound
        Unknown clinic or pool.
    InvalidInput
        Two different tasks with the same ref, a due date that has passed, or terms that the clinic
        cannot keep.
    IllegalMove
        If a patient has died.
    NotServable
        Naming the first that cannot be served, if all or none are to be sent.
    TimeTaken
        If others were quicker each time; nothing was sent.
    """

    def find(picture: Picture) -> Admission:
        return _plan(ports, principal, "invite", picture, tasks)

    def body(act: Act, picture: Picture, found: Admission) -> list[Invitation]:
        at_once = len(found.tasks) > 1
        if at_once:
            act.unit.lock((), whole=True)
        present = {t.id: t for t in act.unit.tasks.find(id=frozenset(found.tasks))}
        if present != {key: found.tasks[key] for key in found.stored}:
            raise TimeTaken("a task has changed meanwhile; its place")
        _refuse_partly(found, all_or_nothing)
        try:
            _claim(act, picture, found)
        except TimeTaken:
            if not at_once:
                raise
            picture = whole_picture(act)
            found = found.replanned(picture)
            _refuse_partly(found, all_or_nothing)
            _claim(act, picture, found)
        out = _admit(act, picture, found)
        return [out[key] for key in found.asked]

    scope_of("invite", principal)
    tasks = _named(ports, tasks)
    regain_first(ports, principal.organisation)
    try:
        return settle(ports, principal, "invite", find, body)
    except Conflict as clash:
        if type(clash) is not Conflict:
            raise
        return settle(ports, principal, "invite", find, body)  # somebody else had the ref first


@use_case("ask")
def ask_for_time(
    ports: Ports, principal: Principal, key: str, version: int | None = None
) -> Invitation:
    """Let the patient of a ``request`` task ask for a time: it is admitted like an invitation."""

    def find(picture: Picture) -> Admission:
        task = glance(ports, principal, "ask", lambda act: act.task(key, version))
        if task.state is TaskState.DRAFT and task.mode is not Mode.REQUEST:
            hint = "the clinic has not sent this invitation yet"
            raise IllegalMove("task", task.id, task.state, "ask", hint)
        asked = replace(task, state=TaskState.DRAFT, mode=Mode.CHOOSE)
        return _admission(ports, picture, (task.id,), {task.id: asked}, frozenset({task.id}))

    def body(act: Act, picture: Picture, found: Admission) -> Invitation:
        task = act.task(key, version)
        if replace(found.tasks[key], state=task.state, mode=task.mode) != task:
            raise TimeTaken(f"task {key} has changed meanwhile; its place")
        if task.state is TaskState.DRAFT:
            _claim(act, picture, found)
        else:
            found = replace(found, tasks={key: task})  # sent already
        return _admit(act, picture, found)[key]

    scope_of("ask", principal)
    regain_first(ports, principal.organisation)
    return settle(ports, principal, "ask", find, body)


def _named(ports: Ports, tasks: Sequence[Task]) -> list[Task]:
    """Give each task an id; refuse two different ones with the same ref."""
    named = [replace(t, id=t.id or ports.keys.new("task")) for t in tasks]
    _refuse_twins(named)
    InvalidInput.each("invitations", (task.patient for task in named), require_pseudonymous)
    return named


def _by_who_they_are(ports: Ports, principal: Principal, tasks: Sequence[Task]) -> list[Task]:
    """Give the tasks by the ids that their patients are known by now.

    Raises
    ------
    IllegalMove
        If one of them has died.
    """
    keys = {t.patient for t in tasks}
    patients = ports.store.run(
        principal.organisation, lambda unit: known_patients(unit, keys), write=False
    )
    for patient in patients.values():
        if patient.deceased_at is not None:
            raise IllegalMove("patient", patient.id, "deceased", "invite")
    return [replace(t, patient=patients[t.patient].id) for t in tasks]


def _refuse_twins(tasks: Sequence[Task]) -> None:
    refs: dict[str, Task] = {}
    for task in tasks:
        if task.ref is None:
            continue
        other = refs.setdefault(task.ref, task)
        if other is not task and replace(other, id=task.id) != task:
            raise InvalidInput.single("ref", f"two different tasks have the ref {task.ref!r}")


def _plan(
    ports: Ports, principal: Principal, verb: str, picture: Picture, tasks: Sequence[Task]
) -> Admission:
    """Plan tasks as they are asked for, those known already as they are stored."""
    tasks = _by_who_they_are(ports, principal, tasks)
    for task in tasks:
        allow(verb, principal, kind="clinic", key=task.clinic, clinic=task.clinic)
    refs, ids = frozenset(t.ref for t in tasks if t.ref), frozenset(t.id for t in tasks)
    stored = ports.store.run(
        principal.organisation,
        lambda unit: [*unit.tasks.find(ref=refs), *unit.tasks.find(id=ids)],
        write=False,
    )
    for known in stored:
        allow(verb, principal, kind="task", key=known.id, clinic=known.clinic)
    by_ref = {t.ref: t for t in stored if t.ref}
    by_id = {t.id: t for t in stored}
    for task in tasks:
        if task.ref is not None:
            by_ref.setdefault(task.ref, task)
    meant = [by_id.get(t.id) or (by_ref[t.ref] if t.ref is not None else t) for t in tasks]
    InvalidInput.each("invitations", meant, partial(_require_sendable, picture))
    once = {t.id: t for t in meant}
    return _admission(ports, picture, tuple(t.id for t in meant), once, by_id.keys() & once.keys())


def _require_sendable(picture: Picture, task: Task) -> None:
    """Refuse what is to be sent and cannot be kept, whoever has a time for it.

    Raises
    ------
    InvalidInput, NotFound
    """
    clinic = picture.index.organisation.clinic(task.clinic)
    if _is_to_send(task):
        require_to_come(task.due, local_date(picture.now, clinic.timezone))
    if task.state is TaskState.DRAFT:
        require_terms(clinic, task, picture.index.organisation.grid)


def _admission(
    ports: Ports,
    picture: Picture,
    asked: tuple[str, ...],
    tasks: Mapping[str, Task],
    stored: Set[str],
) -> Admission:
    wanting = [t for t in tasks.values() if _is_to_send(t)]
    settled = settle_plan(picture, wanting, picture.now, ports.prover.sitting(WAIT).solve)
    made = settled.plan
    # Cures are tried one by one: before any lock is taken.
    short = shortages(made.picture, made.unplaced, picture.now)
    return Admission(asked, tasks, stored, made, short, settled.proven)


def _is_to_send(task: Task) -> bool:
    return task.state is TaskState.DRAFT and task.mode is not Mode.REQUEST


def _refuse_partly(found: Admission, all_or_nothing: bool) -> None:
    if all_or_nothing and found.shortages:
        key = next(k for k in found.asked if k in found.shortages)
        raise NotServable(found.tasks[key].ref or key, found.shortages[key])


def _claim(act: Act, picture: Picture, found: Admission) -> None:
    stage = replace(picture, tasks={**picture.tasks, **found.tasks})
    claim_all(act, stage, map(Wanted, found.made.placed))


def _admit(act: Act, picture: Picture, found: Admission) -> dict[str, Invitation]:
    """Send whoever has a place, and leave the others with the planner as drafts, in bulk."""
    act.unit.lock(())  # so that who the patients are stays so
    require_living(act.unit, {t.patient for t in found.tasks.values()}, act.verb)
    placed = {c.claim.task for c in found.made.placed}
    sent: dict[str, Task] = {}
    for task in found.tasks.values():
        act.audit("task", task.id, task.patient)
        stored = task.id in found.stored
        if not stored:
            tell_of_draft(act, task)
        if task.id in placed and _is_to_send(task):
            task = send(act, picture, task, stored=stored)
        sent[task.id] = task
    act.unit.tasks.add_all(t for t in sent.values() if t.id not in found.stored)
    out = {}
    for key, task in sent.items():
        clinic = picture.index.organisation.clinic(task.clinic)
        missing = found.shortages.get(key) if _is_to_send(task) else None
        if missing is not None:
            if key in found.stored:
                act.close(kind=CaseKind.NOT_SERVABLE, task=key)
            act.case(CaseKind.NOT_SERVABLE, task.clinic, str(missing), task=key)
            out[key] = Invitation(None, missing, task)
        else:
            out[key] = Invitation(open_if_time(act, clinic, task) if key in placed else task)
    return out


def tell_of_draft(act: Act, task: Task) -> None:
    """Write the event of a new task."""
    facts = task_facts(task)
    act.event("task.draft", "task", task.clinic, task.id, task.version, task=task, new=facts)


def send(act: Act, picture: Picture, task: Task, *, stored: bool) -> Task:
    """Schedule a task that has its place, and open it if the patient may choose already."""
    clinic = picture.index.organisation.clinic(task.clinic)
    scheduled = act.advance(task, "schedule", stored=stored, mode=task.mode)
    opens = instant(task.opens, 0, clinic.timezone)
    act.work("open", task.id, task.clinic, opens, "opens")
    due = instant(task.after_due, 0, clinic.timezone)
    act.work("fall due", task.id, task.clinic, due, "due")
    if task.mode is Mode.ALLOT:
        return scheduled  # opening it puts it before staff: it must be stored first
    return open_if_time(act, clinic, scheduled, stored=stored)

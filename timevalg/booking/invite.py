"""Invite: a task is sent only if it gets a valid place; else the shortage is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from timevalg.booking.access import allow
from timevalg.booking.acting import Act, glance, task_facts, use_case
from timevalg.booking.claiming import claim, settle
from timevalg.booking.opening import open_if_time
from timevalg.booking.patients import known_patients, require_living
from timevalg.booking.ports import Ports
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.states import TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import instant
from timevalg.solver.complete import settle_plan
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, Plan
from timevalg.solver.shortage import Shortage, shortage


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


Admission = tuple[dict[str, Task], list[Task], Plan, dict[str, Shortage]]
"""Tasks known already (by the id asked with), all of them once, the places found, and why not."""


@use_case("invite")
def invite(ports: Ports, principal: Principal, tasks: Sequence[Task]) -> list[Invitation]:
    """Admit tasks and schedule or open each one that gets a valid place.

    All are planned together; those that can be served are sent, the others stay drafts. A task
    whose ref is known already is given back as it is: the same ref twice is the same task.

    Parameters
    ----------
    tasks : sequence of Task
        Drafts, each of a clinic that the principal may act for; one without an id gets one.

    Raises
    ------
    NotFound
        Unknown clinic or pool.
    InvalidInput
        Two different tasks with the same ref.
    IllegalMove
        If a patient has died.
    """

    def find(picture: Picture) -> Admission:
        nonlocal tasks
        tasks = _by_who_they_are(ports, principal, tasks)
        for task in tasks:
            clinic = picture.index.organisation.clinic(task.clinic)
            for pool in task.pools:
                clinic.pool(pool)
        known = _known(ports, principal, tasks)
        fresh = list({known.get(t.id, t).id: known.get(t.id, t) for t in tasks}.values())
        wanting = [t for t in fresh if t.state is TaskState.DRAFT and t.mode is not Mode.REQUEST]
        made = settle_plan(picture, wanting, picture.now, ports.prover.solve).plan
        return known, fresh, made, _shortages(made)

    def body(act: Act, picture: Picture, found: Admission) -> list[Invitation]:
        known, fresh, made, missing = found
        if len(tasks) > 1:
            act.unit.lock((), whole=True)
        certificates = {c.claim.task: c for c in made.placed}
        out = {}
        stage = picture
        for task in fresh:
            stage = stage.with_task(task)
        order = [c.claim.task for c in made.placed]
        for task in sorted(
            fresh, key=lambda t: order.index(t.id) if t.id in certificates else len(order)
        ):
            allow("invite", principal, kind="task", key=task.id, clinic=task.clinic)
            certificate = certificates.get(task.id)
            out[task.id] = _admit(act, stage, task, certificate, missing.get(task.id))
            if certificate is not None:
                stage = stage.apply(
                    [*certificate.claims, *certificate.moved],
                    [s.id for s in certificate.displaced],
                )
        return [out[known.get(t.id, t).id] for t in tasks]

    tasks = [replace(t, id=t.id or ports.keys.new("task")) for t in tasks]
    _refuse_twins(tasks)
    try:
        return settle(ports, principal, "invite", find, body)
    except Conflict as clash:
        if type(clash) is not Conflict:
            raise
        return settle(ports, principal, "invite", find, body)  # somebody else had the ref first


@use_case("ask")
def ask_for_time(ports: Ports, principal: Principal, key: str) -> Invitation:
    """Let the patient of a ``request`` task ask for a time: it is admitted like an invitation."""

    def find(picture: Picture) -> tuple[Plan, dict[str, Shortage]]:
        task = glance(ports, principal, "ask", lambda act: act.task(key))
        if task.state is TaskState.DRAFT and task.mode is not Mode.REQUEST:
            hint = "the clinic has not sent this invitation yet"
            raise IllegalMove("task", task.id, task.state, "ask", hint)
        wanting = [replace(task, state=TaskState.DRAFT)]
        made = settle_plan(picture, wanting, picture.now, ports.prover.solve).plan
        return made, _shortages(made)

    def body(act: Act, picture: Picture, found: tuple[Plan, dict[str, Shortage]]) -> Invitation:
        task, (made, missing) = act.task(key), found
        certificate = made.placed[0] if made.placed else None
        asked = replace(task, mode=Mode.CHOOSE)
        return _admit(act, picture.with_task(task), asked, certificate, missing.get(key))

    return settle(ports, principal, "ask", find, body)


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


def _known(ports: Ports, principal: Principal, tasks: Sequence[Task]) -> dict[str, Task]:
    refs = frozenset(t.ref for t in tasks if t.ref)
    stored = ports.store.run(
        principal.organisation, lambda unit: unit.tasks.find(ref=refs), write=False
    )
    by_ref = {t.ref: t for t in stored}
    for task in tasks:
        if task.ref is not None:
            by_ref.setdefault(task.ref, task)
    return {t.id: by_ref[t.ref] for t in tasks if t.ref is not None}


def _shortages(made: Plan) -> dict[str, Shortage]:
    """Say why tasks go without, before any lock is taken: cures are tried one by one."""
    return {t.id: shortage(made.picture, t, made.picture.now) for t in made.unplaced}


def _admit(
    act: Act,
    picture: Picture,
    task: Task,
    certificate: Certificate | None,
    missing: Shortage | None,
) -> Invitation:
    act.unit.lock(())  # so that who the patient is stays so
    require_living(act.unit, task.patient, act.verb)
    act.audit("task", task.id, task.patient)
    if not act.unit.tasks.find(id=task.id):
        act.unit.tasks.add(task)
        act.event(
            "task.draft",
            "task",
            task.clinic,
            task.id,
            task.version,
            task=task,
            new=task_facts(task),
        )
    if task.state is not TaskState.DRAFT or task.mode is Mode.REQUEST:
        return Invitation(task)
    if certificate is None:
        act.close(kind="not-servable", task=task.id)
        act.case("not-servable", task.clinic, str(missing), task=task.id)
        return Invitation(None, missing, task)
    claim(act, picture, certificate, None)
    scheduled = act.advance(task, "schedule", mode=task.mode)
    clinic = picture.index.organisation.clinic(task.clinic)
    opens = instant(task.opens, 0, clinic.timezone)
    act.work("open", task.id, task.clinic, opens, "opens")
    due = instant(task.after_due, 0, clinic.timezone)
    act.work("fall due", task.id, task.clinic, due, "due")
    return Invitation(open_if_time(act, clinic, scheduled))

"""Rules about bookings, holds and tasks."""

from __future__ import annotations

from timevalg.clinic.finding import nearest, shown
from timevalg.clinic.format import BookingRow, HoldRow, TaskRow
from timevalg.clinic.rule import Around, Breaches, moment


def booking_names_roles_of_its_service(row: BookingRow, around: Around) -> Breaches:
    """The resources of a booking are given by roles that its service has."""
    yield from _roles_exist(row.resources, row.service, around)


def hold_names_roles_of_its_service(row: HoldRow, around: Around) -> Breaches:
    """The resources of a hold are given by roles that its pool's service has."""
    service = around.names.pool_services.get(row.pool)
    if service is not None:
        yield from _roles_exist(row.resources, service, around)


def visit_takes_no_resource_twice(row: BookingRow | HoldRow, _: object) -> Breaches:
    """Each role of a visit has its own resources."""
    seen: set[str] = set()
    for role, resources in row.resources.items():
        for at, name in enumerate(resources):
            if name in seen:
                yield ("resources", role, at), f"{shown(name)} is taken twice"
            seen.add(name)


def hold_starts_on_the_grid(row: HoldRow, around: Around) -> Breaches:
    """A hold was made here, so its start is on the grid."""
    if (row.start.hour * 60 + row.start.minute) % around.cell or row.start.second:
        yield ("start",), f"{moment(row.start)} is off the grid of {around.cell} minutes"


def task_is_due_after_it_opens(row: TaskRow, _: object) -> Breaches:
    """`due` is not before `opens`."""
    if row.due < row.opens:
        yield ("due",), f"{row.due} is before `opens` ({row.opens})"


def task_has_a_last_day(row: TaskRow, _: object) -> Breaches:
    """`not_after` or `deadline` is given."""
    if row.not_after is None and row.deadline is None:
        yield (), "has neither `not_after` nor `deadline`; give one or both"


def window_is_not_empty(row: TaskRow, _: object) -> Breaches:
    """`not_before` is not after `not_after`, nor after the deadline that stands in for it."""
    last = row.not_after or row.deadline
    if row.not_before is not None and last is not None and row.not_before > last:
        key = "not_after" if row.not_after else "deadline"
        yield ("not_before",), f"{row.not_before} is after `{key}` ({last}): the window is empty"


def window_ends_by_the_deadline(row: TaskRow, _: object) -> Breaches:
    """`not_after` is not past the deadline."""
    if row.not_after is not None and row.deadline is not None and row.not_after > row.deadline:
        yield ("not_after",), f"{row.not_after} is after `deadline` ({row.deadline})"


def only_names_roles_of_the_services(row: TaskRow, around: Around) -> Breaches:
    """`only` is by roles that a service of the task's pools has."""
    services = _services(row, around)
    if services:
        roles = [role for service in services for role in around.names.roles.get(service, [])]
        for role in row.only:
            if role not in roles:
                hint = nearest(role, dict.fromkeys(roles))
                yield ("only", role), f"there is no role {shown(role)} in the task's services{hint}"


def done_names_preparations(row: TaskRow, around: Around) -> Breaches:
    """`done` names preparations of the task's services, or its own."""
    services = _services(row, around)
    if not services:
        return
    known = [p for s in services for p in around.names.preparations.get(s, [])]
    known += [rule.id for rule in row.preparations]
    for at, name in enumerate(row.done):
        if name not in known:
            hint = nearest(name, dict.fromkeys(known))
            yield ("done", at), f"there is no preparation {shown(name)} for the task{hint}"


def _services(row: TaskRow, around: Around) -> list[str]:
    named = (around.names.pool_services.get(pool) for pool in row.pools)
    return [s for s in named if s is not None and s in around.names.services]


def _roles_exist(resources: dict[str, list[str]], service: str, around: Around) -> Breaches:
    roles = around.names.roles.get(service)
    if roles is None:
        return
    for role in resources:
        if role not in roles:
            hint = nearest(role, roles)
            yield ("resources", role), f"{shown(service)} has no role {shown(role)}{hint}"

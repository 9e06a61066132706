"""Rules about what the values of one row must be to each other, one function a rule.

`RULES` lists them by the kind of row they judge. A rule sees only rows whose keys and types are
right, and gives the path inside the row and a sentence for each breach.
"""

from __future__ import annotations

from timevalg.clinic.finding import shown
from timevalg.clinic.format import (
    AwayRow,
    BookingRow,
    BusyRow,
    ClosedRow,
    HoldRow,
    HoursRow,
    OpeningRow,
    PoolRow,
    PreparationRow,
    ResourceRow,
    Row,
    ServiceRow,
    TaskRow,
    TogetherRow,
    Valid,
    WorkingRow,
)
from timevalg.clinic.pairing import (
    together_is_not_too_long,
    together_names_roles_of_the_service,
    together_rows_have_one_resource_a_role,
    together_rows_name_no_resource_twice,
    together_rows_name_what_fits,
)
from timevalg.clinic.rule import Around, Breaches, Rule
from timevalg.clinic.time_rules import (
    away_begins_before_it_ends,
    away_has_one_shape,
    busy_begins_before_it_ends,
    days_begin_before_they_end,
    hours_begin_before_they_end,
    validity_says_something,
    weeks_need_of_and_since,
)
from timevalg.clinic.visit_rules import (
    booking_names_roles_of_its_service,
    done_names_preparations,
    hold_names_roles_of_its_service,
    hold_starts_on_the_grid,
    only_names_roles_of_the_services,
    task_has_a_last_day,
    task_is_due_after_it_opens,
    visit_takes_no_resource_twice,
    window_ends_by_the_deadline,
    window_is_not_empty,
)


def calendar_lies_beside_the_file(row: ResourceRow, _: object) -> Breaches:
    """`busy` names a file in the folder of the clinic file."""
    if row.busy is not None and not lies_beside(row.busy):
        yield ("busy",), f"{shown(row.busy)} does not lie beside the clinic file; give a plain name"


def lies_beside(name: str) -> bool:
    """Tell whether a file's name leads nowhere but into the folder of the clinic file."""
    steps = name.split("/")
    return not (set(name) & set("\\:\0\n")) and all(s.strip() and s != ".." for s in steps)


def owner_is_another_clinic(row: ResourceRow, around: Around) -> Breaches:
    """`owner` is not the clinic itself."""
    if row.owner == around.clinic:
        yield ("owner",), f"{shown(row.owner)} is this clinic itself; leave `owner` out"


def role_ids_are_unique(row: ServiceRow, _: object) -> Breaches:
    """Roles of a service have different ids."""
    yield from _unique("roles", [role.id for role in row.roles])


def preparation_ids_are_unique(row: ServiceRow | TaskRow, _: object) -> Breaches:
    """Preparations of a service, or of a task, have different ids."""
    yield from _unique("preparations", [rule.id for rule in row.preparations])


def _unique(key: str, names: list[str]) -> Breaches:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            yield (key, index, "id"), f"{shown(name)} is already {key}[{first[name]}]"


def preparation_has_a_date(row: PreparationRow, _: object) -> Breaches:
    """A preparation says when it is due or starts."""
    if row.due is None and row.start is None:
        yield (), "has neither `due` nor `start`; give one or both"


def fallback_notice_is_not_less_than_notice(row: PoolRow, _: object) -> Breaches:
    """Nobody gets a time that nobody chose at shorter notice than one that was chosen."""
    if row.fallback_notice is not None and row.fallback_notice < row.notice:
        yield ("fallback_notice",), f"{row.fallback_notice} is less than `notice` ({row.notice})"


_HOURS: tuple[Rule, ...] = (hours_begin_before_they_end, weeks_need_of_and_since)

RULES: dict[type[Row], tuple[Rule, ...]] = {
    Valid: (validity_says_something,),
    HoursRow: _HOURS,
    WorkingRow: _HOURS,
    OpeningRow: _HOURS,
    AwayRow: (away_has_one_shape, away_begins_before_it_ends, weeks_need_of_and_since),
    ClosedRow: (days_begin_before_they_end,),
    BusyRow: (busy_begins_before_it_ends,),
    ResourceRow: (calendar_lies_beside_the_file, owner_is_another_clinic),
    ServiceRow: (
        role_ids_are_unique,
        preparation_ids_are_unique,
        together_names_roles_of_the_service,
        together_rows_name_what_fits,
    ),
    TogetherRow: (
        together_rows_have_one_resource_a_role,
        together_rows_name_no_resource_twice,
        together_is_not_too_long,
    ),
    PreparationRow: (preparation_has_a_date,),
    PoolRow: (fallback_notice_is_not_less_than_notice,),
    BookingRow: (booking_names_roles_of_its_service, visit_takes_no_resource_twice),
    HoldRow: (
        hold_names_roles_of_its_service,
        visit_takes_no_resource_twice,
        hold_starts_on_the_grid,
    ),
    TaskRow: (
        task_is_due_after_it_opens,
        task_has_a_last_day,
        window_is_not_empty,
        window_ends_by_the_deadline,
        only_names_roles_of_the_services,
        done_names_preparations,
        preparation_ids_are_unique,
    ),
}

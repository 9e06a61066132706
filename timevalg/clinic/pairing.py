"""Rules about `together`: which resources may serve together."""

from __future__ import annotations

from itertools import product
from math import prod

from timevalg.clinic.finding import Path, nearest, shown
from timevalg.clinic.format import RoleRow, ServiceRow, TogetherRow
from timevalg.clinic.names import Names
from timevalg.clinic.rule import Around, Breaches

MAX_ROWS = 20_000
"""Rows of one `together`, capacities written out."""


def together_names_roles_of_the_service(row: ServiceRow, around: Around) -> Breaches:
    """Its roles exist, are named once, and have count 1."""
    roles = {role.id: role for role in row.roles}
    for index, pairing in enumerate(row.together):
        for at, name in enumerate(pairing.roles):
            path: Path = ("together", index, "roles", at)
            if name not in roles:
                yield path, f"there is no role {shown(name)}{nearest(name, roles)}"
            elif roles[name].count != 1:
                count = roles[name].count
                yield path, f"role {shown(name)} has count {count}; roles in `together` have 1"
            elif name in pairing.roles[:at]:
                yield path, f"role {shown(name)} is named twice"


def together_rows_have_one_resource_a_role(row: TogetherRow, around: Around) -> Breaches:
    """Each row is as long as there are roles."""
    for index, names in enumerate(row.allowed):
        if len(names) != len(row.roles):
            wanted = ", ".join(row.roles)
            yield (
                ("allowed", index),
                f"names {len(names)} resources for {len(row.roles)} roles ({wanted})",
            )


def together_rows_name_no_resource_twice(row: TogetherRow, around: Around) -> Breaches:
    """Each row means at least one choice of different resources, and says no resource twice."""
    for index, names in enumerate(row.allowed):
        singles = [name for name in names if name not in around.names.groups]
        twice = sorted({name for name in singles if singles.count(name) > 1})
        if twice:
            yield ("allowed", index), f"names {shown(twice[0])} twice"
        elif choices(names, around.names) == 0:
            yield ("allowed", index), "leaves no choice of different resources"


def together_is_not_too_long(row: TogetherRow, around: Around) -> Breaches:
    """Capacities written out, its rows are not beyond all measure."""
    count = sum(choices(names, around.names) for names in row.allowed)
    if count > MAX_ROWS:
        yield ("allowed",), f"means {count} rows; {MAX_ROWS} are possible"


def together_rows_name_what_fits(row: ServiceRow, around: Around) -> Breaches:
    """Each resource of a row can fill its role by kind and skills, whatever a pool's resources."""
    roles = {role.id: role for role in row.roles}
    for index, pairing in enumerate(row.together):
        for at, names in enumerate(pairing.allowed):
            for column, (role, name) in enumerate(zip(pairing.roles, names, strict=False)):
                if role in roles:
                    why = misfit(roles[role], name, around.names)
                    if why:
                        yield ("together", index, "allowed", at, column), why


def misfit(role: RoleRow, name: str, names: Names) -> str:
    """Say why a resource cannot fill a role; empty if it can, or is not known."""
    facts = names.facts.get(name)
    if facts is None:
        return ""
    if facts.kind != role.kind:
        return f"{shown(name)} is a {facts.kind}; role {shown(role.id)} needs a {role.kind}"
    lacking = sorted(set(role.skills) - facts.skills)
    if lacking:
        return f"{shown(name)} lacks {', '.join(lacking)}, which role {shown(role.id)} needs"
    return ""


def choices(row: list[str], names: Names) -> int:
    """Count the rows that a row with capacities means (at most, if it is very long)."""
    members = [names.members(name) or (name,) for name in row]
    if prod(map(len, members)) > MAX_ROWS:
        return prod(map(len, members))
    return sum(1 for _ in written_out(members))


def written_out(members: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Give every choice of one member each, all different."""
    return [chosen for chosen in product(*members) if len(set(chosen)) == len(chosen)]

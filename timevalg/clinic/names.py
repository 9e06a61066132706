"""What a file gives names to: what its references may refer to.

Collected from the plain data, so that a row which is wrong in itself can still be referred to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from timevalg.model.resource import Kind

KINDS = tuple(kind.value for kind in Kind)
MAX_MEMBERS = 1000
MAX_RESOURCES = 50_000
"""Of one clinic, members of capacities counted: beyond it, nothing more is named."""

Owned = Callable[[str, str], dict[str, Any] | None]
"""Gives the row of a resource by the clinic that owns it and its id."""


@dataclass(frozen=True)
class Facts:
    """Kind and skills of a resource."""

    kind: str
    skills: frozenset[str]


@dataclass
class Names:
    """Ids of one file.

    Attributes
    ----------
    services, pools, resources : mapping
        Id → position in its section; of resources with a capacity, the members.
    groups : mapping
        Resources with a capacity → how many.
    facts : mapping
        Resource or group → kind and skills, where they are well formed.
    roles, preparations : mapping
        Service id → ids of its roles, and of its preparations.
    pool_services : mapping
        Pool id → id of its service.
    """

    services: dict[str, int] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    preparations: dict[str, list[str]] = field(default_factory=dict)
    pool_services: dict[str, str] = field(default_factory=dict)
    too_many: bool = False

    def members(self, name: str) -> tuple[str, ...]:
        """Give the resources that a name means; none if it means nothing."""
        if name in self.groups:
            return tuple(member_ids(name, self.groups[name]))
        return (name,) if name in self.resources else ()

    def knows(self, kind: str, name: str) -> bool:
        """Tell whether a reference of this kind may use the name."""
        if kind == "service":
            return name in self.services
        if kind == "pool":
            return name in self.pools
        return name in self.resources or (kind == "resource" and name in self.groups)

    def of_kind(self, kind: str) -> list[str]:
        """Give the names that a reference of this kind may use."""
        if kind == "service":
            return list(self.services)
        if kind == "pool":
            return list(self.pools)
        return [*(self.groups if kind == "resource" else ()), *self.resources]


def collect_names(document: Any, owned: Owned) -> Names:
    """Collect the names of a document; what it borrows is looked up with `owned`."""
    names = Names()
    for index, row in rows(document, "services"):
        if isinstance(row.get("id"), str):
            names.services.setdefault(row["id"], index)
            names.roles.setdefault(row["id"], ids(row.get("roles")))
            names.preparations.setdefault(row["id"], ids(row.get("preparations")))
    for index, row in rows(document, "pools"):
        if isinstance(row.get("id"), str):
            names.pools.setdefault(row["id"], index)
            if isinstance(row.get("service"), str):
                names.pool_services.setdefault(row["id"], row["service"])
    for index, row in rows(document, "resources"):
        if isinstance(row.get("id"), str):
            _add_resource(names, index, row, owned)
    return names


def _add_resource(names: Names, index: int, row: dict[str, Any], owned: Owned) -> None:
    name, capacity, skills = row["id"], capacity_of(row), row.get("skills")
    if isinstance(row.get("owner"), str):
        lent = owned(row["owner"], name) or {}
        capacity = capacity or capacity_of(lent)
        skills = lent.get("skills") if skills is None else skills
    if len(names.resources) + (capacity or 1) > MAX_RESOURCES:
        names.too_many = True
        return
    if capacity is None:
        members = [name]
    else:
        names.groups.setdefault(name, capacity)
        members = member_ids(name, capacity)
    skills = [] if skills is None else skills
    well_formed = isinstance(skills, list) and all(isinstance(s, str) for s in skills)
    for member in members:
        names.resources.setdefault(member, index)
    if well_formed and row.get("kind") in KINDS:
        facts = Facts(row["kind"], frozenset(skills))
        for known in dict.fromkeys((name, *members)):
            names.facts.setdefault(known, facts)


def member_ids(group: str, capacity: int) -> list[str]:
    """Give the ids of a resource with capacity: ``chair/1`` …"""
    return [f"{group}/{number}" for number in range(1, capacity + 1)]


def capacity_of(row: dict[str, Any]) -> int | None:
    """Give the capacity that a resource's row states, if it is a possible one."""
    capacity = row.get("capacity")
    if not isinstance(capacity, int) or isinstance(capacity, bool):
        return None
    return capacity if 1 <= capacity <= MAX_MEMBERS else None


def rows(document: Any, section: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the mappings in a section of a document, with their positions."""
    found = document.get(section) if isinstance(document, dict) else None
    if isinstance(found, list):
        for index, row in enumerate(found):
            if isinstance(row, dict):
                yield index, row


def ids(value: Any) -> list[str]:
    """Give the ids in a list of rows."""
    return [r["id"] for _, r in rows({"": value}, "") if isinstance(r.get("id"), str)]

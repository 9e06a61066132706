"""Which starts can give every role copy its own resource (rule 5), by Hall's theorem on bitmaps.

A start can be served if and only if, for every set of roles, the resources that can serve some
role of the set at that start number at least the sum of their counts (P. Hall, "On
Representatives of Subsets", 1935). Only roles that compete need looking at together, and of their
sets only those that hang together. Where few starts are left, they are matched one by one.
`together` is the union over its rows of "these are free, and the rest can be served without them".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Protocol

from timevalg.solver.bits import at_least, cells, lowest
from timevalg.solver.fits import Able, Fits
from timevalg.solver.plan import Cluster, Group

Masks = Sequence[Mapping[str, int]]
"""For each role: resource id → the starts at which it could serve the role."""


class Names(Protocol):
    """Some resources' names, perhaps looked up only as far as they are read."""

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...


_ONE_BY_ONE = 5.0
"""Microseconds to match one start, for each role; from measurements."""


def servable(
    clusters: Sequence[Cluster], counts: Sequence[int], fits: Sequence[Fits], among: int
) -> int:
    """Give the starts among some at which all roles can be served.

    Parameters
    ----------
    clusters : sequence of Cluster
        They share no resource, so each is settled alone.
    counts : sequence of int
        For each role, how many resources it takes.
    fits : sequence of Fits
        For each role.
    among : int
        Bits of starts.
    """
    for cluster in clusters:
        for role in cluster.roles:
            among = at_least(fits[role].masks.values(), counts[role], among)
            if not among:
                return 0
    for cluster in clusters:
        if len(cluster.roles) > 1:
            among = _cluster(cluster, counts, fits, among)
            if not among:
                return 0
    return among


def _cluster(cluster: Cluster, counts: Sequence[int], fits: Sequence[Fits], among: int) -> int:
    if not among:
        return 0
    low = lowest(among)
    width = among.bit_length() - low
    rows = 1
    for group in cluster.groups:
        rows *= max(1, len(group.rows))
    work = rows * _planes_work(cluster.loose, [f.masks for f in fits]) * (0.06 + 4e-5 * width)
    if among.bit_count() * _ONE_BY_ONE * len(cluster.roles) < work:
        return _one_by_one(cluster, counts, fits, among)
    inside = (1 << width) - 1
    near = [
        {name: bits >> low & inside for name, bits in fits[role].masks.items()}
        if role in cluster.roles
        else {}
        for role in range(len(fits))
    ]
    return _with_groups(cluster, counts, near, among >> low) << low


def _one_by_one(cluster: Cluster, counts: Sequence[int], fits: Sequence[Fits], among: int) -> int:
    matched = 0
    for cell in cells(among):
        if can_serve(cluster, counts, [Able(of_role, cell) for of_role in fits], frozenset()):
            matched |= 1 << cell
    return matched


def _with_groups(cluster: Cluster, counts: Sequence[int], fits: Masks, among: int) -> int:
    if not cluster.groups:
        return _hall(cluster.loose, counts, fits, among, frozenset())
    served = 0
    for chosen in rows_of(cluster.groups):
        left = among & ~served
        for role, name in chosen.items():
            left &= fits[role].get(name, 0)
            if not left:
                break
        if left:
            served |= _hall(cluster.loose, counts, fits, left, frozenset(chosen.values()))
            if served == among:
                break
    return served


def rows_of(groups: Sequence[Group]) -> Iterator[dict[int, str]]:
    """Give every way to take one row of each group: role → resource, all different."""
    for rows in product(*(g.rows for g in groups)):
        chosen: dict[int, str] = {}
        agree = True
        for group, row in zip(groups, rows, strict=True):
            for role, name in zip(group.roles, row, strict=True):
                agree = agree and chosen.setdefault(role, name) == name
        if agree and len(set(chosen.values())) == len(chosen):
            yield chosen


def _hall(
    roles: Sequence[int],
    counts: Sequence[int],
    fits: Masks,
    among: int,
    taken: Collection[str],
) -> int:
    """Check every set of roles that hangs together, smallest first."""
    for size in range(1 if taken else 2, len(roles) + 1):
        for chosen in combinations(roles, size):
            if size > 1 and not _hangs_together(chosen, fits):
                continue
            able: dict[str, int] = {}
            for role in chosen:
                for name, bits in fits[role].items():
                    if name not in taken:
                        able[name] = able.get(name, 0) | bits
            among = at_least(list(able.values()), sum(counts[r] for r in chosen), among)
            if not among:
                return 0
    return among


def _hangs_together(roles: Sequence[int], fits: Masks) -> bool:
    """Tell whether the roles cannot be parted into two sets without a resource in common."""
    reached, names, left = {roles[0]}, set(fits[roles[0]]), set(roles[1:])
    while left:
        nearer = {role for role in left if not names.isdisjoint(fits[role])}
        if not nearer:
            return False
        reached |= nearer
        left -= nearer
        for role in nearer:
            names |= fits[role].keys()
    return True


def _planes_work(roles: Sequence[int], fits: Masks) -> int:
    """Count the big operations that `_hall` would need, roughly."""
    return sum(
        sum(len(fits[role]) for role in chosen) * 5
        for size in range(1, len(roles) + 1)
        for chosen in combinations(roles, size)
    )


def can_serve(
    cluster: Cluster,
    counts: Sequence[int],
    able: Sequence[Names],
    taken: Collection[str],
) -> bool:
    """Tell whether all copies of a cluster's roles can have their own resource at one start.

    Parameters
    ----------
    able : sequence of Names
        For each role, the resources that could serve it then.
    taken : collection of str
        Resources that may not be used.
    """
    if not cluster.groups:
        return can_match(cluster.roles, counts, able, taken)
    alive = [
        Group(
            group.roles,
            tuple(
                row
                for row in group.rows
                if all(
                    name in able[role] and name not in taken
                    for role, name in zip(group.roles, row, strict=True)
                )
            ),
        )
        for group in cluster.groups
    ]
    return any(
        can_match(cluster.loose, counts, able, {*taken, *chosen.values()})
        for chosen in rows_of(alive)
    )


def can_match(
    roles: Sequence[int],
    counts: Sequence[int],
    able: Sequence[Names],
    taken: Collection[str],
) -> bool:
    """Tell whether the roles' copies can be matched, by augmenting paths (Kuhn)."""
    holder: dict[str, int] = {}
    copies = (role for role in roles for _ in range(counts[role]))
    return all(_give(role, able, holder, set(taken)) for role in copies)


def _give(role: int, able: Sequence[Names], holder: dict[str, int], seen: set[str]) -> bool:
    for name in able[role]:
        if name in seen:
            continue
        seen.add(name)
        if name not in holder or _give(holder[name], able, holder, seen):
            holder[name] = role
            return True
    return False

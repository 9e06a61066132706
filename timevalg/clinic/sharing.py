"""Rules about the files of a folder: one organisation, shared resources, unique ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from timevalg.clinic.finding import Finding, nearest, shown
from timevalg.clinic.names import KINDS, Names, capacity_of, collect_names, rows

Found = Iterator[tuple[int, Finding]]
"""The position of the file, and what is wrong in it."""


class Folder:
    """The documents that are loaded together."""

    def __init__(self, documents: Sequence[Any], names: Sequence[str]) -> None:
        self.documents, self.files = documents, names
        self._owned: dict[str, dict[str, dict[str, Any]]] = {}
        for document in documents:
            clinic = clinic_id(document)
            if clinic is not None:
                own = self._owned.setdefault(clinic, {})
                for _, row in rows(document, "resources"):
                    if isinstance(row.get("id"), str) and "owner" not in row:
                        own.setdefault(row["id"], row)

    @cached_property
    def names(self) -> list[Names]:
        """What each document gives names to."""
        return [collect_names(document, self.owned) for document in self.documents]

    @property
    def clinics(self) -> list[str]:
        """Ids of the clinics."""
        return list(self._owned)

    def owned(self, clinic: str, resource: str) -> dict[str, Any] | None:
        """Give the row of a resource that a clinic owns; a member's is its group's, as one."""
        own = self._owned.get(clinic, {})
        if resource in own:
            return own[resource]
        group, _, number = resource.rpartition("/")
        row = own.get(group, {})
        if number not in map(str, range(1, (capacity_of(row) or 0) + 1)):
            return None
        return {key: value for key, value in row.items() if key != "capacity"}

    def owned_names(self, clinic: str) -> list[str]:
        """Give the names of what a clinic owns."""
        return list(self._owned.get(clinic, {}))


def one_organisation(folder: Folder) -> Found:
    """All clinics name the same organisation."""
    first: str | None = None
    for index, document in enumerate(folder.documents):
        number = organisation_id(document)
        if number is None:
            continue
        first = first or number
        if number != first:
            message = f"{shown(number)} differs from {shown(first)} in the other files"
            yield index, Finding(("clinic", "organisation"), message)


def clinic_ids_are_unique(folder: Folder) -> Found:
    """No two files describe the same clinic."""
    first: dict[str, int] = {}
    for index, document in enumerate(folder.documents):
        clinic = clinic_id(document)
        if clinic is not None and first.setdefault(clinic, index) != index:
            message = f"{shown(clinic)} is already the clinic of {folder.files[first[clinic]]}"
            yield index, Finding(("clinic", "id"), message)


def ids_are_unique_in_the_organisation(folder: Folder) -> Found:
    """Resources, bookings, holds and tasks of different clinics have different ids."""
    keys = (("bookings", "id"), ("bookings", "ref"), ("holds", "task"), ("tasks", "id"))
    for section, key in (*keys, ("tasks", "ref")):
        first: dict[str, int] = {}
        for index, document in enumerate(folder.documents):
            for at, row in rows(document, section):
                name = row.get(key)
                if isinstance(name, str) and first.setdefault(name, index) != index:
                    where = folder.files[first[name]]
                    message = f"{shown(name)} is already the {key} of a {section[:-1]} in {where}"
                    yield index, Finding((section, at, key), message)
    owner: dict[str, int] = {}
    for index, document in enumerate(folder.documents):
        borrowed = {at for at, row in rows(document, "resources") if "owner" in row}
        told: set[int] = set(borrowed)
        for name, at in folder.names[index].resources.items():
            if at not in told and owner.setdefault(name, index) != index:
                told.add(at)
                where = folder.files[owner[name]]
                message = (
                    f"{shown(name)} is already a resource of {where}; to share it, say `owner:`"
                )
                yield index, Finding(("resources", at, "id"), message)


def borrowed_resources_exist(folder: Folder) -> Found:
    """`owner` names a loaded clinic that owns the resource, of the same kind and capacity."""
    for index, document in enumerate(folder.documents):
        for at, row in rows(document, "resources"):
            name, owner = row.get("id"), row.get("owner")
            if not isinstance(name, str) or not isinstance(owner, str):
                continue
            if owner == clinic_id(document):
                continue
            if owner not in folder.clinics:
                others = [c for c in folder.clinics if c != clinic_id(document)]
                hint = nearest(owner, others) if others else ""
                message = (
                    f"there is no clinic {shown(owner)} among the files; load its folder{hint}"
                )
                yield index, Finding(("resources", at, "owner"), message)
                continue
            lent = folder.owned(owner, name)
            if lent is None:
                hint = nearest(name, folder.owned_names(owner))
                message = f"clinic {shown(owner)} owns no resource {shown(name)}{hint}"
                yield index, Finding(("resources", at, "id"), message)
                continue
            kinds = row.get("kind"), lent.get("kind")
            if kinds[0] != kinds[1] and all(kind in KINDS for kind in kinds):
                message = f"{shown(row.get('kind'))} differs from its owner's {lent['kind']}"
                yield index, Finding(("resources", at, "kind"), message)
            if "capacity" in row and row["capacity"] != lent.get("capacity"):
                message = f"{shown(row['capacity'])} differs from its owner's; leave it out"
                yield index, Finding(("resources", at, "capacity"), message)


RULES = (
    one_organisation,
    clinic_ids_are_unique,
    ids_are_unique_in_the_organisation,
    borrowed_resources_exist,
)


def clinic_id(document: Any) -> str | None:
    """Give the clinic's id that a document states."""
    name = _clinic(document).get("id")
    return name if isinstance(name, str) else None


def organisation_id(document: Any) -> str | None:
    """Give the organisation's id that a document states."""
    name = _clinic(document).get("organisation")
    return name if isinstance(name, str) else None


def _clinic(document: Any) -> dict[str, Any]:
    clinic = document.get("clinic") if isinstance(document, dict) else None
    return clinic if isinstance(clinic, dict) else {}

"""Who acts: every use case is called with one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RoleName(StrEnum):
    """What a principal is towards the organisation."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    PLANNER = "planner"
    SECRETARY = "secretary"
    CLINICIAN = "clinician"
    SYSTEM = "system"
    WORKER = "worker"
    AUDITOR = "auditor"
    OPERATOR = "operator"


PERSONAL = frozenset({RoleName.PATIENT, RoleName.REPRESENTATIVE})
"""Roles that act for one patient."""


@dataclass(frozen=True)
class Principal:
    """Somebody (or some system) who acts in one organisation.

    Attributes
    ----------
    id : str
        Who: a pseudonymous user id, a system's name, ``worker``.
    clinics : frozenset of str or None
        The clinics it may act in; None = all of the organisation.
    patient : str or None
        The patient it is, or acts for.
    channel : str
        ``library``, ``api``, ``web``, ``cli``, ``phone`` …
    by_rights : bool
        What it may is looked up in each act; False = whoever made the principal vouches for it
        (the program around the library, the development issuer).
    address : str
        Whence, for the audit: the network address and the software that called.
    """

    id: str
    role: RoleName
    organisation: str
    clinics: frozenset[str] | None = None
    patient: str | None = None
    channel: str = "library"
    by_rights: bool = False
    address: str = ""


def worker(organisation: str) -> Principal:
    """Give the principal that workers act as."""
    return Principal("worker", RoleName.WORKER, organisation, channel="worker")

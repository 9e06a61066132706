"""Who may do what: one table, deny by default.

A verb without a row fails when its module is imported, so the program does not start. Whatever is
not the principal's own is not found, rather than forbidden: nobody learns what exists elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from timevalg.model.errors import NotAllowed, NotFound
from timevalg.model.principal import Principal, RoleName


class Scope(StrEnum):
    """How far a right reaches."""

    OWN = "own"
    CLINIC = "clinic"


_P, _R = RoleName.PATIENT, RoleName.REPRESENTATIVE
_PATIENTS = {_P: Scope.OWN, _R: Scope.OWN}
_DESK = {RoleName.PLANNER: Scope.CLINIC, RoleName.SECRETARY: Scope.CLINIC}
_PLANNER = {RoleName.PLANNER: Scope.CLINIC}
_SYSTEM = {RoleName.SYSTEM: Scope.CLINIC}
_WORKER = {RoleName.WORKER: Scope.CLINIC}
_OPERATOR = {RoleName.OPERATOR: Scope.CLINIC}
_CARE = {RoleName.CLINICIAN: Scope.CLINIC}
_GIVING = {**_DESK, **_CARE, **_SYSTEM, **_OPERATOR, RoleName.AUDITOR: Scope.CLINIC}

ACCESS: Mapping[str, Mapping[RoleName, Scope]] = {
    "publish": {RoleName.PLANNER: Scope.CLINIC, **_SYSTEM},
    "check clinic file": {**_PLANNER, **_SYSTEM},
    "compare clinic files": _PLANNER,
    "read clinic file": {**_DESK, **_SYSTEM},
    "publish clinic file": _PLANNER,
    "roll back": _PLANNER,
    "switch pool": _PLANNER,
    "add absence": _DESK,
    "remove absence": _DESK,
    "what if": {RoleName.PLANNER: Scope.CLINIC, **_SYSTEM},
    "replan": {**_DESK, **_SYSTEM},
    "rebook": {**_DESK, **_SYSTEM},
    "invite": {**_DESK, **_CARE, **_SYSTEM},
    "plan invitations": {**_DESK, **_CARE, **_SYSTEM},
    "amend": {**_DESK, **_SYSTEM},
    "ask": {**_PATIENTS, **_DESK, **_SYSTEM},
    "open": {**_DESK, **_SYSTEM, **_WORKER},
    "read": {**_PATIENTS, **_DESK, **_CARE, **_SYSTEM, **_WORKER},
    "list tasks": {**_PATIENTS, **_DESK, **_CARE, **_SYSTEM},
    "list appointments": {**_PATIENTS, **_DESK, **_CARE, **_SYSTEM},
    "list letters": {**_PATIENTS, **_DESK, **_SYSTEM},
    "read access log": _PATIENTS,
    "list offers": {**_PATIENTS, **_DESK, **_SYSTEM},
    "list offers to change": {**_PATIENTS, **_DESK, **_SYSTEM},
    "settle offers": {**_DESK, **_SYSTEM, **_WORKER},
    "tidy places": _WORKER,
    "regain places": _WORKER,
    "list reserves": {**_DESK, **_SYSTEM},
    "hold": {**_PATIENTS, **_DESK},
    "renew hold": {**_PATIENTS, **_DESK},
    "choose": {**_PATIENTS, **_DESK},
    "none suits": {**_PATIENTS, **_DESK},
    "decline": {**_PATIENTS, **_DESK},
    "check": {**_DESK, **_WORKER},
    "accept": _SYSTEM,
    "refuse": {**_SYSTEM, **_DESK},
    "acknowledge": {**_PATIENTS, **_DESK},
    "change": {**_PATIENTS, **_DESK},
    "cancel": {**_PATIENTS, **_DESK, **_SYSTEM},
    "move": {**_DESK, **_SYSTEM},
    "fall due": _WORKER,
    "assign": {**_DESK, **_WORKER},
    "keep waiting": _DESK,
    "hand to staff": {**_DESK, **_WORKER},
    "reopen": _DESK,
    "undo": {**_DESK, **_WORKER},
    "withdraw": {**_DESK, **_SYSTEM},
    "complete preparation": {**_PATIENTS, **_DESK, **_CARE, **_SYSTEM},
    "follow preparation": _WORKER,
    "arrive": {**_DESK, **_CARE, **_SYSTEM},
    "no show": {**_DESK, **_CARE, **_SYSTEM},
    "fulfil": {**_DESK, **_CARE, **_SYSTEM},
    "write letter": {**_DESK, **_WORKER},
    "remind": _WORKER,
    "send letter": {**_DESK, **_WORKER},
    "expire holds": _WORKER,
    "forget answers": _WORKER,
    "seal audit": _WORKER,
    "verify audit": {RoleName.AUDITOR: Scope.CLINIC},
    "sync": _SYSTEM,
    "import": _SYSTEM,
    "merge": _SYSTEM,
    "deceased": _SYSTEM,
    "block": _DESK,
    "unblock": _DESK,
    "set owner": {RoleName.PLANNER: Scope.CLINIC},
    "read events": _SYSTEM,
    "find patient": {**_DESK, **_SYSTEM},
    "register patient": {**_DESK, **_SYSTEM},
    "do work": _WORKER,
    "examine": {RoleName.AUDITOR: Scope.CLINIC},
    "staff list": {**_DESK, **_CARE},
    "close case": _DESK,
    "figures": {RoleName.PLANNER: Scope.CLINIC, **_OPERATOR},
    "attendance list": {**_DESK, **_CARE},
    "search": {**_DESK, **_SYSTEM},
    "explain": {**_DESK, **_SYSTEM},
    "subscribe": {RoleName.PLANNER: Scope.CLINIC, **_SYSTEM},
    "list subscriptions": {RoleName.PLANNER: Scope.CLINIC, **_SYSTEM},
    "end subscription": {RoleName.PLANNER: Scope.CLINIC, **_SYSTEM},
    "pass on events": _WORKER,
    "deliver": _WORKER,
    "register representation": {**_DESK, **_SYSTEM},
    "end representation": {**_DESK, **_SYSTEM},
    "list representations": {**_PATIENTS, **_DESK, **_SYSTEM},
    "withhold": {_P: Scope.OWN, **_DESK, **_CARE, **_SYSTEM},
    "purge": _OPERATOR,
    "export own": {_P: Scope.OWN},
    "export patient": {**_SYSTEM, RoleName.AUDITOR: Scope.CLINIC},
    "mark for verification": _OPERATOR,
    "set unit": _OPERATOR,
    "give right": _GIVING,
    "revoke right": _GIVING,
    "list rights": _GIVING,
    "look at work": _OPERATOR,
    "settle work": _OPERATOR,
}


def scope_of(verb: str, principal: Principal) -> Scope:
    """Give how far the principal's right to a verb reaches.

    Raises
    ------
    NotAllowed
        If the role has none.
    """
    scope = ACCESS[verb].get(principal.role)
    if scope is None:
        raise NotAllowed(verb, principal.role)
    return scope


def allow(
    verb: str,
    principal: Principal,
    *,
    kind: str,
    key: str,
    clinic: str | None,
    patient: str | None = None,
) -> None:
    """Let pass only who may use the verb on this thing.

    Raises
    ------
    NotAllowed
        If the role has no right to the verb at all.
    NotFound
        If it has, but this thing is not theirs.
    """
    scope = scope_of(verb, principal)
    if scope is Scope.OWN and (patient is None or principal.patient != patient):
        raise NotFound(kind, key)
    if clinic is not None and not may_see(principal, clinic):
        raise NotFound(kind, key)


def may_see(principal: Principal, clinic: str) -> bool:
    """Tell whether the principal acts for a clinic."""
    return principal.clinics is None or clinic in principal.clinics

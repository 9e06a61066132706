"""Who may what: rights given on and taken back, units, and the mark for verification."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from timevalg.api.routes.verbs import Limit, Next
from timevalg.api.schemas import rights as shapes
from timevalg.api.schemas.given import Id
from timevalg.api.schemas.patient import ReasonIn
from timevalg.api.surface import MaybeKey, OnPorts, Surface, Version, Who, tag
from timevalg.booking.rights import Standing
from timevalg.booking.standing import GRANTABLE
from timevalg.library.rights import Rights

router = Surface(prefix="/v1", tags=["rights"], roles=GRANTABLE)


async def _rights(ports: OnPorts, who: Who) -> Rights:
    return Rights(ports, who)


Mine = Annotated[Rights, Depends(_rights)]


def _told(found: Standing, response: Response) -> shapes.StandingOut:
    tag(response, found.right.version)
    return shapes.StandingOut.of(found)


@router.operation("GET", "/rights", "list rights")
def rights(
    mine: Mine,
    holder: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
    after: Next = "",
    limit: Limit = 50,
) -> shapes.RightsOut:
    """Give my rights and all that were given from them, with where each holds now."""
    found = [shapes.StandingOut.of(one) for one in mine.list(holder, after, limit)]
    following = found[-1].right.id if len(found) == limit else ""
    return shapes.RightsOut(rights=found, next=following)


@router.operation(
    "POST",
    "/rights",
    "give right",
    unversioned="makes a new one; what it is given from is asked again at each act",
    status=201,
    links={"revoke_a_right": {"right": "$response.body#/right/id"}},
)
def give_a_right(
    mine: Mine, given: shapes.RightIn, key: MaybeKey, response: Response
) -> shapes.StandingOut:
    """Give somebody a right of mine (`giver`) or, as operator, of the organisation's."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    right = mine.give(**fields, idempotency_key=key)
    return _told(mine.standing(right.id), response)


@router.operation("POST", "/rights/{right}/revoke", "revoke right", changes=True)
def revoke_a_right(
    mine: Mine, right: Id, given: ReasonIn, version: Version, response: Response
) -> shapes.StandingOut:
    """Take a right back, and all that was given from it; its `version` is its ETag."""
    mine.revoke(right, given.reason, version)
    return _told(mine.standing(right), response)


@router.operation("GET", "/units", "list rights")
def units(mine: Mine) -> shapes.UnitsOut:
    """Give the units, in which rights can be given; each one's `version` is its ETag."""
    return shapes.UnitsOut(units=[shapes.UnitOut.of(unit) for unit in mine.units()])


@router.operation("PUT", "/units/{unit}", "set unit", changes=True)
def set_a_unit(
    mine: Mine, unit: Id, given: shapes.UnitIn, version: Version, response: Response
) -> shapes.UnitOut:
    """Say which clinics a unit has; If-Match is "0" where there is none yet."""
    done = mine.set_unit(unit, given.name, given.clinics, given.reason, version)
    tag(response, done.version)
    return shapes.UnitOut.of(done)


@router.operation(
    "POST",
    "/verification",
    "mark for verification",
    unversioned="a mark never changes; set again it is the one there is",
)
def mark_for_verification(mine: Mine, given: ReasonIn) -> shapes.VerificationOut:
    """Say that nobody is treated in the organisation, which has no patients yet; it stays so."""
    return shapes.VerificationOut.of(mine.mark_for_verification(given.reason))

"""Rights, units, representations and the mark for verification over HTTP."""

from __future__ import annotations

import pytest

from tests.world import ORGANISATION
from timevalg.model.principal import Principal, RoleName


@pytest.fixture
def root(caller):
    return caller("operator:root")


def test_a_right_is_given_on_listed_and_taken_back(world, caller, root):
    given = root.post("/v1/rights", {"holder": "hpr:1", "role": "planner", "may_delegate": True})
    assert (given.status_code, given.json()["everywhere"]) == (201, True), given.text
    key = given.json()["right"]["id"]
    anna = caller("planner:hpr:1")  # the token's word is taken here; the right is hpr:1's
    world.store.run(ORGANISATION, lambda unit: None)
    wanted = {"holder": "hpr:2", "role": "secretary", "clinic": "clinic", "giver": key}
    assert anna.post("/v1/rights", {**wanted, "giver": "right-0"}).status_code == 404
    assert anna.post("/v1/rights", {**wanted, "giver": None}).status_code == 403
    assert root.post("/v1/rights", {"holder": "x:1", "role": "planner"}).status_code == 422
    assert root.post("/v1/rights", {"holder": "hpr:1", "role": "patient"}).status_code == 422
    again = root.post("/v1/rights", {"holder": "hpr:3", "role": "auditor"}, key="k").json()
    assert root.post("/v1/rights", {"holder": "hpr:3", "role": "auditor"}, key="k").json() == again
    found = root.get("/v1/rights?limit=1").json()
    rest = root.get(f"/v1/rights?after={found['next']}").json()
    ids = [one["right"]["id"] for page in (found, rest) for one in page["rights"]]
    assert ids == [key, again["right"]["id"]]
    assert root.get("/v1/rights?holder=hpr:1").json()["rights"] == [given.json()]
    revoke = f"/v1/rights/{key}/revoke"
    assert root.post(revoke, version=None).status_code == 428
    assert root.post(revoke, version='"7"').status_code == 412
    gone = root.post(revoke, {"reason": "left"}, version=given.headers["ETag"])
    assert (gone.json()["clinics"], gone.json()["everywhere"]) == ([], False)
    assert gone.json()["right"]["revoked_at"] is not None
    assert caller("planner:anna").get("/v1/rights").json()["rights"] == []


def test_who_has_a_right_gives_of_it_and_no_more(world, app):
    from tests.integration.api.conftest import Caller

    right = world.valg.operator().give("hpr:1", "planner", clinic="clinic", may_delegate=True)
    who = Principal("hpr:1", RoleName.PLANNER, ORGANISATION, frozenset({"clinic"}), by_rights=True)
    rights = world.valg.rights("hpr:1")
    assert rights.principal.clinics == who.clinics
    given = rights.give("hpr:2", "secretary", clinic="clinic", giver=right)
    root = Caller(app, "operator:root")
    told = {one["right"]["id"]: one for one in root.get("/v1/rights").json()["rights"]}
    assert told[given.id]["clinics"] == ["clinic"]
    root.post(f"/v1/rights/{right.id}/revoke")
    told = {one["right"]["id"]: one for one in root.get("/v1/rights").json()["rights"]}
    assert told[given.id]["clinics"] == []


def test_units_are_set_by_operators_of_the_whole(caller, root):
    unit = {"name": "Medisin", "clinics": ["clinic"]}
    made = root("PUT", "/v1/units/u-1", unit, If_Match='"0"')
    assert (made.status_code, made.headers["ETag"]) == (200, '"1"')
    assert root("PUT", "/v1/units/u-1", unit, If_Match='"0"').status_code == 412
    assert root("PUT", "/v1/units/u-1", unit).status_code == 428
    assert caller("planner:anna").get("/v1/units").json() == {"units": [made.json()]}
    assert caller("planner:anna")("PUT", "/v1/units/u-1", unit).status_code == 403
    assert (
        caller("operator:root:clinic")("PUT", "/v1/units/u-1", unit, If_Match="*").status_code
        == 403
    )


def test_an_organisation_is_marked_while_nobody_is_in_it(world, root, caller):
    assert caller("planner:anna").post("/v1/verification").status_code == 403
    marked = root.post("/v1/verification", {"reason": "test environment"}, version=None)
    assert (marked.status_code, marked.json()["organisation"]) == (200, ORGANISATION)
    assert root.post("/v1/verification").json() == marked.json()
    register = {"patient": "p-1", "identity": "30108299920"}
    dips = caller("system:dips")
    assert dips.post("/v1/system/patients/register", register).status_code == 422


def test_an_organisation_in_use_is_not_marked(world, root):
    world.invited()
    assert root.post("/v1/verification").status_code == 409


@pytest.mark.parametrize(("who", "surface"), [("planner:anna", "planner"), ("system:x", "system")])
def test_a_representation_is_made_listed_and_ended(world, caller, who, surface):
    ask, base = caller(who), f"/v1/{surface}"
    world.invited("p-1")
    wanted = {"patient": "p-1", "identity": "02013299997", "basis": "attorney"}
    made = ask.post(f"{base}/patients/represent", wanted, key="k")
    assert made.status_code == 201, made.text
    named = {"patient": "p-1"}
    listed = ask.post(f"{base}/patients/representatives", named, version=None)
    assert listed.json() == {"representatives": [made.json()]}
    assert "02013299997" not in listed.text
    end = f"{base}/representations/{made.json()['id']}/end"
    assert ask.post(end, version=None).status_code == 428
    assert ask.post(end, version='"9"').status_code == 412
    ended = ask.post(end, {"reason": "revoked"}, version=made.headers["ETag"])
    assert (ended.status_code, ended.json()["ends"]) == (200, "2027-01-03")
    assert caller(f"{who}:elsewhere").post(end).status_code == 404

"""Every route × role × tenant × own and other's, from the document and the table of access."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tests.document import operations
from tests.integration.api.conftest import Caller
from tests.integration.booking.test_keys import NO_KEYS
from tests.world import ORGANISATION, World, oslo
from timevalg.api.app import SURFACES, make_app
from timevalg.api.gate import OPEN
from timevalg.booking import tell_systems
from timevalg.booking.access import ACCESS
from timevalg.booking.standing import GRANTABLE
from timevalg.model.errors import NotSignedOn
from timevalg.model.principal import PERSONAL, Principal, RoleName
from timevalg.model.right import Right
from timevalg.settings import Settings
from timevalg.store.memory import Memory

IDS = Path(__file__).parent / "operation_ids.txt"
ELSEWHERE = "888888888"
REFUSED = {401, 403, 404}
_DESK = {"planner", "secretary", "clinician"}
SURFACE = {
    "/v1/patient/": {"patient", "representative"},
    "/v1/planner/": _DESK,
    "/v1/system/": {"system"},
    "/v1/events": {"system"},
    "/v1/": {*_DESK, "system", "auditor", "operator"},
}
"""Who has any business on the addresses that begin so; the first that fits."""
NEW_THERE = {
    "put_clinic_file_in_force",
    "check_clinic_file",
    "compare_clinic_file",
    "what_if_clinic_file",
    "set_a_unit",
}
"""In another organisation the clinic or unit would be a new one, which may be set up there."""


def sign_on(token, scheme, proof, request):
    """Believe whatever the token says of its bearer."""
    try:
        said = json.loads(token)
    except ValueError:
        raise NotSignedOn("the token does not hold") from None
    clinics = said.pop("clinics", None)
    return Principal(
        id=said.pop("name", f"a {said['role']}"),
        role=RoleName(said.pop("role")),
        clinics=None if clinics is None else frozenset(clinics),
        channel="api",
        **said,
    )


def token(role, **more):
    said = {"role": role, "organisation": ORGANISATION, "patient": "p-1", **more}
    if role not in PERSONAL:
        del said["patient"]
    return json.dumps(said)


class Things:
    """A world with one of each thing that an address can name."""

    def __init__(self, app):
        self.app = app
        self.world = world = World(Memory)
        world.dips.register("p-1", identity="01017000027")
        bond = world.dips.represent("p-1", "02013299997", "attorney")
        self.task = world.invited("p-1", pools=("record",), ref="oppgave/1", referral="henv/9")
        _, self.visit = world.chosen("p-1")
        world.work()
        who = Principal("dips", RoleName.SYSTEM, ORGANISATION, clinics=frozenset({"clinic"}))
        made = tell_systems.subscribe(world.ports, who, "https://dips.test/", "DIPS")
        world.patient("p-1").decline(world.invited("p-1"))
        day = date(2027, 5, 3)
        world.desk.add_absence("clinic", "dr-b", day, day)
        start, end = oslo(2027, 3, 1, 9), oslo(2027, 3, 1, 10)
        block = world.desk.block("clinic", ["dr-b"], start, end, reason="a course")
        self.keys = {
            "task": self.task.id,
            "appointment": self.visit.id,
            "preparation": world.preparations(self.visit)[0].id,
            "letter": world.letters(appointment=self.visit.id)[0].id,
            "subscription": made.id,
            "case": world.cases("declined")[0].id,
            "block": block.id,
            "representation": bond.id,
        }
        """Ids, which strangers must not be told."""
        self.rights = {role: self._right(role) for role in GRANTABLE}
        """Role → a right of whoever has it."""
        self.names = {
            "clinic": "clinic",
            "pool": "manual",
            "resource": "dr-b",
            "number": "1",
            "absence": "0",
            "unit": "u-1",
        }
        """What things are called that have no ids."""

    def _right(self, role):
        """Give somebody in a role a right, which they may give on."""
        now = self.world.clock.now(None)
        key = self.world.ports.keys.new("right")
        fields = {"starts": now, "given_at": now, "by": "x", "may_delegate": True}
        right = Right(key, ORGANISATION, f"a {role}", role, **fields)
        self.world.store.run(ORGANISATION, lambda unit: unit.rights.add(right))
        return key

    def ask(self, operation, bearer):
        self.app.state.ports = self.world.ports
        path, body = operation.path, operation.example()
        role = json.loads(bearer)["role"] if bearer else "planner"
        own = {"right": self.rights.get(role, self.rights["planner"])}
        known = self.keys | self.names | own
        if operation.id == "give_a_right":
            body |= {"role": role, "giver": own["right"]}
        for parameter in operation.parameters("path"):
            name = parameter["name"]
            path = path.replace("{" + name + "}", known[name])
        headers = {"Idempotency_Key": f"{operation.id} {bearer}"[:200], "If_Match": "*"}
        return Caller(self.app, bearer)(operation.method, path, body, **headers)


def rights(operation):
    """Who may: those whose surface it is, if they have the right."""
    ours = next(roles for start, roles in SURFACE.items() if operation.path.startswith(start))
    return [role for role in RoleName if role in ours and role in ACCESS[operation.use]]


@pytest.fixture(scope="module")
def app():
    """One application, whose world each test sets."""
    often = {f"TIMEVALG_RATE_BY_{who}": "999999/minute" for who in ("ADDRESS", "PRINCIPAL")}
    return make_app(World(Memory).ports, Settings.of(often), sign_on)


@pytest.fixture(scope="module")
def things(app):
    """For what is refused: it changes nothing."""
    return Things(app)


def declared():
    """The operations as the surfaces declare them; no application is made for that."""
    for surface in SURFACES:
        for route in surface.routes:
            yield route.operation_id


@pytest.fixture
def operation(app, request):
    found = {one.id: one for one in operations(app.openapi())}
    return found[request.param]


ALL = pytest.mark.parametrize("operation", list(declared()), indirect=True)


def test_the_document_says_who_may(app):
    closed = [one for one in operations(app.openapi()) if one.path not in OPEN]
    assert closed
    for one in closed:
        assert set(one.said["x-roles"]) == set(rights(one)), one.id


def test_no_route_is_left_out(app):
    found = {one.id for one in operations(app.openapi()) if one.path not in OPEN}
    assert found == set(declared())


def test_operations_keep_their_ids(app):
    """Clients are generated from them: an id that is gone from the list is a broken client."""
    found = sorted(f"{one.id} {one.method} {one.path}" for one in operations(app.openapi()))
    assert found == IDS.read_text().splitlines(), f"new ones are added to {IDS.name}"


def test_what_can_be_done_once_by_a_key_takes_one(app):
    """Each address that changes something, if its use case keeps answers."""
    silent = [
        one.id
        for one in operations(app.openapi())
        if one.method != "GET" and one.use not in {None, *NO_KEYS}
        if "idempotency-key" not in [p["name"] for p in one.parameters("header")]
    ]
    assert silent == []


def test_each_shape_has_a_name_of_its_own(app):
    """Two of one name would be told apart by the modules they are in, which clients would see."""
    assert [name for name in app.openapi()["components"]["schemas"] if "__" in name] == []


@ALL
def test_without_a_token_nobody(things, operation):
    assert things.ask(operation, None).status_code == 401


@ALL
def test_roles_without_the_right(things, operation):
    before = things.world.dump()
    for role in set(RoleName) - set(rights(operation)):
        answer = things.ask(operation, token(role))
        assert answer.status_code == 403, (role, answer.text)
    assert things.world.dump() == before


@ALL
def test_strangers_with_the_role(things, operation):
    before = things.world.dump()
    names = operation.parameters("path")
    for role in rights(operation):
        other = {"patient": "p-2"} if role in PERSONAL else {"clinics": ["other"]}
        strangers = [
            token(role, organisation=ELSEWHERE),
            token(role, name="a stranger", **other),
        ]
        for stranger in strangers:
            answer = things.ask(operation, stranger)
            if names and not (operation.id in NEW_THERE and ELSEWHERE in stranger):
                assert answer.status_code in {403, 404}, (stranger, answer.text)
            said = answer.text
            hidden = set(things.rights.values()) - {things.rights.get(role)}
            for name in names:  # what was asked may be repeated, and nothing else
                said = said.replace(things.keys.get(name["name"], name["name"]), "")
            for key in [*things.keys.values(), *hidden, "oppgave/1", "henv/9"]:
                assert key not in said, (stranger, said)
    after = things.world.dump()
    for kind, rows in before.items():
        mine = [row for row in after[kind] if row in rows]
        assert mine == rows, kind


@ALL
def test_those_who_may_to_their_own(app, operation):
    things = Things(app)
    for number, role in enumerate(rights(operation)):
        if number and operation.method == "DELETE":
            things = Things(app)  # it is gone from the other one
        answer = things.ask(operation, token(role))
        assert answer.status_code not in REFUSED, (role, answer.text)
        assert answer.status_code < 500, (role, answer.text)

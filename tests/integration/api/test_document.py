"""The API asked whatever its document allows, and much that it does not: never a 5xx, and never an
answer that the document does not declare.

On PostgreSQL, since databases refuse what dictionaries do not mind.
``--hypothesis-profile=long`` asks fifty times as much.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.document import operations
from tests.integration.api.conftest import Caller, sign_on
from tests.world import World
from timevalg.api.app import make_app
from timevalg.booking.access import ACCESS
from timevalg.model.principal import RoleName
from timevalg.settings import Settings
from timevalg.store import Database

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = {role: f"{role}:p-1" for role in RoleName}


@pytest.fixture
def world(postgres_url):
    world = World(lambda clock: Database(postgres_url, clock))
    yield world
    world.store.close()


@pytest.fixture
def keys(world):
    """One of each thing that an address can name."""
    task = world.invited("p-1", pools=("record",))
    _, visit = world.chosen("p-1")
    world.work()
    world.patient("p-2").decline(world.invited("p-2"))
    return {
        "task": task.id,
        "appointment": visit.id,
        "preparation": world.preparations(visit)[0].id,
        "representation": world.dips.represent("p-1", "02013299997", "attorney").id,
        "right": world.valg.operator().give("hpr:1", "planner").id,
        "case": world.cases("declined")[0].id,
    }


@pytest.fixture
def schema(world):
    often = {f"TIMEVALG_RATE_BY_{who}": "999999/minute" for who in ("ADDRESS", "PRINCIPAL")}
    app = make_app(world.ports, Settings.of(often), sign_on)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def refused(context, response, case):
    """What the document forbids is refused; what is too large for that to be seen is so too."""
    if response.status_code in {413, 414}:
        return None
    return negative_data_rejection(context, response, case)


def bearer(case):
    """Sign a request as somebody who may do it."""
    use = case.operation.definition.raw.get("x-use-case")
    role = next(r for r in RoleName if use is None or r in ACCESS[use])
    return {"Authorization": f"Bearer {ROLES[role]}"}


def examples(each):
    """So many of an operation in a normal run; more with the profile for long ones."""
    return settings(
        max_examples=max(1, each * settings.default.max_examples // 100),
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_asked_is_answered_as_declared(schema, keys, mode):
    negative = mode is schemathesis.GenerationMode.NEGATIVE
    checks = [*CHECKS, refused] if negative else CHECKS
    for found in schema.get_all_operations():
        operation = found.ok()
        said = operation.definition.raw
        if negative and not said.get("parameters") and "requestBody" not in said:
            continue  # nothing of it can be wrong

        @examples(1 if negative else 3)
        @given(operation.as_strategy(generation_mode=mode), st.booleans())
        def ask(case, real):
            if real and not negative:
                known = {k: v for k, v in keys.items() if k in (case.path_parameters or {})}
                case.path_parameters = {**(case.path_parameters or {}), **known}
            case.call_and_validate(headers=bearer(case), checks=checks)

        ask()


def test_whatever_follows_from_an_answer_is_answered_as_declared(schema, keys):
    machine = schema.as_state_machine()

    class Story(machine):
        def get_call_kwargs(self, case):
            return {"headers": bearer(case)}

        def validate_response(self, response, case, **_):
            case.validate_response(response, checks=CHECKS)

    machine.run.__func__(Story, settings=settings(examples(6), stateful_step_count=6))


def test_versions_are_told_where_they_are_asked_for(schema, world, keys):
    """What can be changed by If-Match is read with an ETag, which the document shows."""
    told = {
        one.id
        for one in operations(schema.raw_schema)
        for answer in one.said["responses"].values()
        if "ETag" in answer.get("headers", {})
    }
    assert {"my_task", "clinic_task", "sent_visit", "clinic_file", "find_a_patient"} <= told
    assert {"published_clinics", "tasks_of_a_referral", "give_a_right", "choose_a_time"} <= told
    app, read_here = make_app(world.ports, Settings.of({}), sign_on), set()
    for one in operations(schema.raw_schema):
        names = [p["name"] for p in one.parameters("path")]
        read = one.method == "GET" and one.use is not None and "200" in one.said["responses"]
        if read and set(names) <= keys.keys():
            path = one.path
            for name in names:
                path = path.replace("{" + name + "}", keys[name])
            role = next(role for role in RoleName if role in one.said["x-roles"])
            answer = Caller(app, ROLES[role]).get(path)
            assert ("ETag" in answer.headers) == (one.id in told), (one.id, answer.text)
            read_here.add(one.id)
    assert read_here & told and read_here - told


def test_whatever_changes_something_wants_its_version_or_says_why_not(schema):
    """RFC 9110, If-Match; what makes something new or changes nothing is named with its reason."""
    without = {}
    for one in operations(schema.raw_schema):
        if one.method == "GET":
            continue
        asked = {p["name"].lower(): p["required"] for p in one.parameters("header")}
        if "if-match" in asked:
            assert {"412", "428"} <= one.said["responses"].keys(), one.id
            assert "x-without-if-match" not in one.said
        else:
            without[one.id] = one.said["x-without-if-match"]
    assert {name for name, why in without.items() if why == "changes nothing"} == {
        "check_clinic_file",
        "compare_clinic_file",
        "what_if_clinic_file",
        "plan_many_invitations",
        "find_a_patient",
        "find_patient_of_clinic",
        "representatives_of_a_patient",
        "representatives_of_patient_of_clinic",
        "tasks_of_a_referral",
    }
    assert {name for name, why in without.items() if why != "changes nothing"} == {
        "hold_a_time",
        "invite_a_patient",
        "invite_many_patients",
        "invite_patients",
        "block_resources",
        "lift_a_block",
        "register_a_representative",
        "register_representative_of_patient",
        "sync_the_calendar",
        "subscribe_to_events",
        "end_a_subscription",
        "give_a_right",
        "mark_for_verification",
    }

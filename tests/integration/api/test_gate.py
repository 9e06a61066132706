"""Nobody gets in without a token, nor with too much."""

from __future__ import annotations

import re

import pytest
import structlog
from fastapi.testclient import TestClient

from tests.integration.api.conftest import Caller, sign_on
from timevalg.api.app import make_app
from timevalg.api.gate import HEADERS, OPEN
from timevalg.api.surface import Surface
from timevalg.model.errors import NotSignedOn
from timevalg.model.principal import RoleName
from timevalg.settings import Settings

TASKS = "/v1/patient/tasks"


def limited(world, **values):
    return make_app(
        world.ports, Settings.of({f"TIMEVALG_{k}": v for k, v in values.items()}), sign_on
    )


def test_every_operation_answers_401_without_a_token(app):
    nobody, paths = Caller(app, None), app.openapi()["paths"]
    assert paths.keys() - set(OPEN)
    for path, operations in paths.items():
        for method in operations:
            answer = nobody(method.upper(), path.replace("{", "").replace("}", ""), None)
            assert answer.status_code == (200 if path in OPEN else 401), path


@pytest.mark.parametrize("path", ["/", "/v1", "/docs", "/nothing", "/v1/patient/../../etc"])
def test_addresses_that_do_not_exist_answer_401_too(app, path):
    assert Caller(app, None).get(path).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Basic cDpw", "Bearer nonsense", "patient:p-1"])
def test_a_token_that_does_not_hold_is_refused(app, header):
    answer = TestClient(app).get(TASKS, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_proof_is_compared_with_the_address_as_it_was_sent(world):
    asked = []

    def refusing(token, scheme, proof, request):
        asked.append(request.url)
        raise NotSignedOn("seen")

    client = TestClient(make_app(world.ports, Settings.of({}), refusing))
    client.get("/v1/a%3Fb/kontakt%2088?x=1", headers={"Authorization": "DPoP x"})
    assert asked == ["http://testserver/v1/a%3Fb/kontakt%2088"]


def test_two_tokens_are_none(app):
    headers = [("Authorization", "Bearer patient:p-1"), ("Authorization", "Bearer patient:p-2")]
    assert TestClient(app).get(TASKS, headers=headers).status_code == 401


def test_without_a_token_the_body_is_not_read(world):
    read = []

    def body():
        read.append(1)
        yield b"{}"

    client = TestClient(limited(world, BODY_LIMIT="10"))
    answer = client.post(f"{TASKS}/t/choice", content=body())
    assert answer.status_code == 401


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_is_refused(world, declared):
    client = TestClient(limited(world, BODY_LIMIT="100"))
    headers = {"Authorization": "Bearer patient:p-1", "Idempotency-Key": "k", "If-Match": "*"}
    content = b"x" * 1000
    answer = client.post(
        f"{TASKS}/t/choice", content=content if declared else iter([content]), headers=headers
    )
    assert answer.status_code == 413


def test_a_long_query_is_refused(caller):
    assert caller("patient:p-1").get(f"{TASKS}?after={'x' * 5000}").status_code == 414


def test_too_many_requests_of_one_principal(world):
    app = limited(world, RATE_BY_PRINCIPAL="3/minute")
    one, other = Caller(app, "patient:p-1"), Caller(app, "patient:p-2")
    assert [one.get(TASKS).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 1 <= int(one.get(TASKS).headers["Retry-After"]) <= 60
    assert other.get(TASKS).status_code == 200


def test_too_many_requests_from_one_address_need_no_token(world):
    nobody = Caller(limited(world, RATE_BY_ADDRESS="3/minute"), None)
    assert [nobody.get(TASKS).status_code for _ in range(4)] == [401, 401, 401, 429]


CHOOSING = {"Authorization": "Bearer patient:p-1", "Idempotency-Key": "k", "If-Match": "*"}


def choosing(app, **sent):
    return TestClient(app).post(TASKS + "/t/choice", **sent)


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("application", 415),
        ("", 415),
        ("application/json", 404),
        ("Application/JSON; charset=utf-8", 404),
        ("application/merge-patch+json", 404),
    ],
)
def test_a_body_that_is_not_json_is_of_an_unknown_type(app, media, status):
    """Whoever calls it JSON is listened to: here there is no such task."""
    body = b'{"start": "2027-01-20T09:00:00+01:00"}'
    answer = choosing(app, content=body, headers=CHOOSING | {"Content-Type": media})
    assert answer.status_code == status, answer.text
    if status == 415:
        assert answer.json()["type"] == "urn:timevalg:problem:media-type"


def test_who_sends_no_body_is_told_what_is_missing(app):
    assert choosing(app, headers=CHOOSING).status_code == 422


def test_every_answer_says_how_browsers_shall_treat_it(app):
    for answer in (Caller(app, None).get(TASKS), Caller(app, "patient:p-1").get(TASKS)):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("path", "token"),
    [
        (TASKS, "patient:p-1"),
        ("/health", None),
        (TASKS, None),  # not signed on
        ("/nowhere", "patient:p-1"),
        (TASKS + "/t/choice", "patient:p-1"),  # there is a POST only
    ],
)
def test_head_is_answered_as_get_is_without_the_body(app, path, token):
    who = Caller(app, token)
    got, head = who.get(path), who("HEAD", path)
    assert head.status_code == got.status_code
    assert head.headers == got.headers
    assert got.content
    assert head.content == b""


def test_all_methods_of_an_address_are_named_where_another_is_tried(app):
    me = Caller(app, "patient:p-1")
    paths = app.openapi()["paths"]
    assert any(len(of_one) > 1 for of_one in paths.values())
    for path, of_one in paths.items():
        methods = {method.upper() for method in of_one}
        methods |= {"HEAD"} if "GET" in methods else set()
        answer = me("TRACE", re.sub("{.*?}", "x", path))
        assert set(answer.headers["Allow"].split(", ")) >= methods, path
    assert me("DELETE", TASKS).headers["Allow"] == "GET, HEAD"
    assert "HEAD" not in me.get(TASKS + "/t/choice").headers["Allow"]


def test_other_pages_may_not_call_unless_named(world):
    asks = {"Origin": "https://portal.example", "Authorization": "Bearer patient:p-1"}
    closed, opened = limited(world), limited(world, CORS_ORIGINS="https://portal.example")
    name = "Access-Control-Allow-Origin"
    assert name not in TestClient(closed).get(TASKS, headers=asks).headers
    assert TestClient(opened).get(TASKS, headers=asks).headers[name] == asks["Origin"]
    asks["Origin"] = "https://elsewhere.example"
    assert name not in TestClient(opened).get(TASKS, headers=asks).headers


def test_our_own_faults_tell_nothing(world, app, monkeypatch):
    secret = "01017012345"

    def broken(*_, **__):
        raise RuntimeError(f"patient {secret}")

    monkeypatch.setattr(type(world.store), "run", broken)
    with structlog.testing.capture_logs() as logs:
        answer = Caller(app, "patient:p-1").get(f"{TASKS}/t-1")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:timevalg:problem:fault"
    assert secret not in answer.text + str(logs)
    assert [entry["error"] for entry in logs] == ["RuntimeError"]


def test_a_database_that_does_not_answer_is_not_ready(world, app, monkeypatch):
    client = Caller(app, None)
    assert client.get("/ready").status_code == 200

    def broken(*_):
        raise OSError

    monkeypatch.setattr(type(world.store), "organisations", broken)
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_a_route_without_an_access_rule_does_not_start():
    surface = Surface(roles=[RoleName.PATIENT])
    with pytest.raises(LookupError, match="juggle"):
        surface.operation("GET", "/x", "juggle")
    with pytest.raises(LookupError, match="no access rule here"):  # none that lets a patient
        surface.operation("GET", "/x", "sync")


def test_a_route_that_changes_says_which_version_or_why_none():
    surface = Surface(roles=[RoleName.PATIENT])
    with pytest.raises(ValueError, match="say that it changes a version"):
        surface.operation("POST", "/x", "hold")

"""What operators see of the API, and that it is about nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.integration.api.conftest import Caller, sign_on
from timevalg.api import serving, tracing
from timevalg.api.app import make_app
from timevalg.api.serving import UpToDate, application
from timevalg.model.errors import InvalidInput
from timevalg.settings import Settings
from timevalg.store.migrate import downgrade, upgrade

CANARY = "01017012345"
ROUTE = "/v1/patient/tasks/{task}"


def counted(app, *labels):
    """What the metrics say now of requests with these labels."""
    lines = TestClient(app).get("/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("timevalg_http_requests_total{")]
    return sum(float(line.split()[-1]) for line in found if all(x in line for x in labels))


@pytest.fixture
def spans(monkeypatch):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def test_requests_are_counted_by_route_and_told_to_everybody(app):
    before = counted(app, ROUTE, 'status="404"')
    me = Caller(app, f"patient:{CANARY}")
    for _ in range(3):
        assert me.get(f"/v1/patient/tasks/{CANARY}").status_code == 404
    assert counted(app, ROUTE, 'status="404"') == before + 3
    heads = counted(app, ROUTE, 'method="HEAD"')
    me("HEAD", f"/v1/patient/tasks/{CANARY}")
    assert counted(app, ROUTE, 'method="HEAD"') == heads + 1
    assert CANARY not in TestClient(app).get("/metrics").text


def test_a_method_of_ones_own_making_is_no_label(app):
    Caller(app, "patient:p-1")("MADEUP", "/v1/patient/tasks")
    assert "MADEUP" not in TestClient(app).get("/metrics").text


def test_our_own_faults_are_counted(world, app, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(CANARY)

    before = counted(app, 'status="500"')
    monkeypatch.setattr(type(world.store), "run", broken)
    Caller(app, "patient:p-1").get("/v1/patient/tasks/t-1")
    assert counted(app, 'status="500"') == before + 1


def test_spans_tell_the_route_and_nobody(world, spans, monkeypatch):
    caller = Caller(make_app(world.ports, Settings.of({}), sign_on), f"patient:{CANARY}")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    caller.get(f"/v1/patient/tasks/{CANARY}?after={CANARY}", traceparent=parent)
    monkeypatch.setattr(type(world.store), "run", lambda *_, **__: 1 / 0)
    caller.get(f"/v1/patient/tasks/{CANARY}")
    found, broken = spans.get_finished_spans()
    assert found.name == broken.name == f"GET {ROUTE}"
    assert found.context.trace_id == int(parent.split("-")[1], 16)
    assert found.attributes["http.response.status_code"] == 404
    assert (broken.status.is_ok, broken.events) == (False, ())
    assert CANARY not in found.to_json() + broken.to_json()


def test_nothing_is_sent_unless_a_collector_is_named():
    before = trace.get_tracer_provider()
    tracing.start("")()
    assert trace.get_tracer_provider() is before


def test_without_the_parts_that_send_it_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidInput, match="TIMEVALG_TRACES"):
        tracing.start("http://127.0.0.1:4318/v1/traces")


def test_a_database_that_is_behind_is_not_ready(world, tmp_path):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    upgrade(url)
    downgrade(url, "-1")
    checks = {"the database is up to date": UpToDate(url)}
    client = TestClient(make_app(world.ports, Settings.of({}), sign_on, checks=checks))
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:timevalg:problem:not-ready")
    assert "up to date" in answer.json()["detail"]
    upgrade(url)
    assert client.get("/ready").status_code == 200


def test_the_document_is_made_when_it_is_first_asked_for_and_by_one_at_a_time(
    tmp_path, monkeypatch
):
    making, inside = [], threading.Lock()

    def slowly(app):
        assert inside.acquire(blocking=False), "two make it at once"
        making.append(app)
        inside.release()
        return {"openapi": "3.1.0"}

    monkeypatch.setattr("timevalg.api.app._document", slowly)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "DEVELOPMENT_KEY": f"{tmp_path}/key"}
    app = application(Settings.of({f"TIMEVALG_{name}": v for name, v in settings.items()}))
    assert making == []
    with TestClient(app) as client, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.get("/openapi.json"), range(4)))
    assert [answer.json() for answer in answers] == [{"openapi": "3.1.0"}] * 4
    assert len(making) == 4


@pytest.mark.parametrize(
    ("proxies", "address", "url"),
    [
        ("", "10.0.0.1", "http://here/v1/patient/tasks"),
        ("10.0.0.2", "10.0.0.1", "http://here/v1/patient/tasks"),
        ("10.0.0.1", "203.0.113.7", "https://here/v1/patient/tasks"),
        ("10.0.0.0/8, 192.168.0.1", "203.0.113.7", "https://here/v1/patient/tasks"),
    ],
)
def test_only_a_proxy_that_is_named_says_who_asked(world, proxies, address, url):
    """By its address there, and by the address that was asked: proofs are for that."""
    asked = []

    def noting(token, scheme, proof, request):
        asked.append(request.url)
        return sign_on(token, scheme, proof, request)

    settings = Settings.of({"TIMEVALG_PROXIES": proxies})
    app = make_app(world.ports, settings, noting)
    config = uvicorn.Config(app, **serving.options(settings))
    config.load()
    client = TestClient(config.loaded_app, "http://here", client=("10.0.0.1", 5000))
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
    mine = {"Authorization": "Bearer patient:p-1"}
    assert client.get("/v1/patient/tasks", headers=mine | forwarded).status_code == 200
    (look,) = [a for a in world.dump()["audit"] if a.verb == "list tasks"]
    assert (look.address, asked) == (address, [url])

"""The API as it is served: a client made from its document, two clients for one time, hostile
tokens.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx2
import pytest
from aiopenapi3.errors import HTTPClientError
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.document import Client, Made
from tests.serving import environment, free_port, served
from tests.unit.identity.signers import Signer, new_key, proof
from tests.waiting import until
from tests.world import ORGANISATION, document
from timevalg import Timevalg
from timevalg.identity import development
from timevalg.model.principal import Principal, RoleName
from timevalg.store.migrate import upgrade

ELSEWHERE = "888888888"


@contextmanager
def listening(handler, **facts):
    """Serve what a handler answers until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        vars(server).update(facts)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Keys(BaseHTTPRequestHandler):
    """Publishes the keys of an issuer."""

    def do_GET(self):
        body = json.dumps(self.server.signer.fetch("")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def window():
    today = datetime.now(UTC).date()
    return {
        "opens": str(today - timedelta(days=1)),
        "due": str(today + timedelta(days=7)),
        "not_after": str(today + timedelta(days=60)),
    }


def test_a_client_made_from_the_document_and_a_race(tmp_path, postgres_url):
    env, port = environment(tmp_path, DATABASE_URL=postgres_url), free_port()
    base = f"http://127.0.0.1:{port}"
    with served(env, port, processes=2), httpx2.Client(base_url=base, timeout=60) as http:
        made = Made(http.get("/openapi.json").json(), base)
        key = development.path_of(env["TIMEVALG_DEVELOPMENT_KEY"])

        def client(role, name):
            right = {"role": role, "organisation": ORGANISATION, "patient": name}
            return Client(made, development.token(key, name, right))

        dips, me = client("system", "dips"), client("patient", "p-1")
        # the ten lines of the README, over HTTP
        dips.publish_clinics(files=[{"document": document()}], if_match='"0"')
        wanted = {
            "ref": "oppgave/4711",
            "patient": "p-1",
            "referral": "henv/9",
            "pools": ["record"],
        }
        (asked,) = dips.invite_patients(
            invitations=[wanted | window()], idempotency_key="i"
        ).invitations
        offer = me.my_offers(task=asked.task.id).offers[0]
        chosen = me.choose_a_time(
            task=asked.task.id, start=offer.start, idempotency_key="c", if_match="*"
        )
        event = awaited(dips, "appointment.chosen")
        visit = dips.accept_a_choice(
            appointment=event.appointment, ref="kontakt/88", if_match=f'"{event.version}"'
        )
        later = me.offers_to_change(appointment=chosen.id).offers[5]
        moved = dips.move_a_visit(
            appointment="kontakt/88",
            start=later.start,
            reason="8446:1",
            idempotency_key="m",
            if_match=visit.etag,
        )
        gone = dips.cancel_as_hospital(
            appointment="kontakt/88", reason="8445:22", by="patient", if_match=moved.etag
        )
        referral = dips.tasks_of_a_referral(referral="henv/9")
        dips.withdraw_a_referral(referral="henv/9", letters=False, if_match=referral.etag)
        assert (visit.id, gone.state, gone.wall) == (chosen.id, "cancelled", moved.wall)
        assert awaited(dips, "appointment.cancelled").by == "patient"
        race(dips, client)
        counted = http.get("/metrics").text
        assert "timevalg_http_requests_total" in counted


def awaited(dips, type_):
    """Read the feed until an event is there: others' transactions may delay it."""
    after = ""

    def there():
        nonlocal after
        page = dips.what_happened(after=after)
        after = page.next
        return next((event for event in page.events if event.type == type_), None)

    return until(there, type_)


def race(dips, client):
    """Two patients choose the same time at the same moment, over and over."""
    names = ("p-2", "p-3")
    two = [client("patient", name) for name in names]
    for number in range(4):
        tasks = dips.invite_patients(
            invitations=[{"patient": n, "pools": ["auto"]} | window() for n in names],
            idempotency_key=f"race {number}",
        ).invitations
        start = two[0].my_offers(task=tasks[0].task.id).offers[0].start
        gate = threading.Barrier(2)

        def choose(me, asked, number=number, start=start, gate=gate):
            gate.wait()
            try:
                return me.choose_a_time(
                    task=asked.task.id, start=start, idempotency_key=f"{number}", if_match="*"
                )
            except HTTPClientError as refused:
                return refused

        with ThreadPoolExecutor(2) as pool:
            won, lost = sorted(
                pool.map(choose, two, tasks), key=lambda x: isinstance(x, HTTPClientError)
            )
        assert won.start == start
        problem = json.loads(lost.data)
        assert (lost.status_code, problem["type"]) == (409, "urn:timevalg:problem:time-taken")
        assert start not in [a["start"] for a in problem["alternatives"]]


@pytest.fixture
def production(tmp_path):
    """A server in production that trusts one issuer, whose client has rights in two trusts."""
    url = f"sqlite:///{tmp_path / 'served.sqlite'}"
    upgrade(url)
    tasks = {}
    for organisation in (ORGANISATION, ELSEWHERE):
        clinic = document()
        clinic["clinic"]["organisation"] = organisation
        with Timevalg.open(url, organisation=organisation) as valg:
            operator = Principal("root", RoleName.OPERATOR, organisation)
            give_right(valg, operator)
            dips = valg.system("dips")
            dips.publish(sources(clinic))
            fields = {k: datetime.fromisoformat(v).date() for k, v in window().items()}
            tasks[organisation] = dips.invite(patient="p-1", pools=["auto"], **fields).task.id
    signer = Signer("helseid", clock=SimpleNamespace(at=time.time()))
    with listening(Keys, signer=signer) as keys:
        issuer = {"issuer": signer.name, "audience": "timevalg", "keys": keys, "profile": "helseid"}
        env = environment(
            tmp_path, MODE="production", ISSUERS=json.dumps([issuer]), SEARCH_KEY="k" * 32
        )
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with served(env, port, processes=2), httpx2.Client(base_url=base, timeout=60) as http:
            yield SimpleNamespace(
                http=http,
                signer=signer,
                tasks=tasks,
                path=f"/v1/system/tasks/{tasks[ORGANISATION]}",
                development=development.path_of(env["TIMEVALG_DEVELOPMENT_KEY"]),
            )


def give_right(valg, operator):
    from timevalg.booking import rights

    gift = rights.Gift("client:dips", RoleName.SYSTEM)
    rights.give_right(valg.ports, operator, gift, None, "test")


def sources(clinic):
    from timevalg.model.contents import Source

    return {"clinic": Source(clinic, {})}


def test_hostile_tokens(production):
    http, signer, path = production.http, production.signer, production.path
    mine, stolen = new_key("mine"), new_key("stolen")
    orgnr = "helseid://claims/client/claims/orgnr_parent"

    def token(key=None, header=None, holder=mine, **claims):
        said = {"client_id": "dips", orgnr: ORGANISATION, "cnf": {"jkt": holder.thumbprint()}}
        return signer.token(key, header, **said | claims)

    def shown(token, *, key=mine, name="j", method="GET", path=path):
        url = str(http.base_url).rstrip("/") + path
        shown.count += 1
        told = {"htm": method, "htu": url, "jti": f"{name} {shown.count}"}
        return {"Authorization": f"DPoP {token}", "DPoP": proof(key, token, time.time(), **told)}

    shown.count = 0
    good = shown(token(client_amr="private_key_jwt"))
    answer = http.get(path, headers=good)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == production.tasks[ORGANISATION]
    for _ in range(8):  # to whichever process: each time by another connection
        again = httpx2.get(f"{str(http.base_url).rstrip('/')}{path}", headers=good, timeout=60)
        assert again.status_code == 401

    public = json.dumps(signer.keys[0].as_dict(private=False)).encode()
    alg = {"alg": "HS256", "kid": "k-1"}
    claims = {"iss": signer.name, "aud": "timevalg", "sub": "s", "exp": int(time.time()) + 60}
    confused = jwt.encode(alg, claims, OctKey.import_key(public), algorithms=["HS256"])
    unsigned = token().split(".")
    unsigned = ".".join([none_header(), unsigned[1], ""])
    right = {"role": "system", "organisation": ORGANISATION}
    hostile = {
        "replayed proof": good,
        "expired": shown(token(exp=int(time.time()) - 3600)),
        "of the future": shown(token(nbf=int(time.time()) + 3600)),
        "wrong audience": shown(token(aud="another")),
        "alg none": shown(unsigned),
        "alg confused": shown(confused),
        "swapped key": shown(token(ECKey.generate_key("P-256", {"kid": "k-1"}))),
        "unknown issuer": shown(token(iss="https://elsewhere.example")),
        "stolen token": shown(token(), key=stolen),
        "without a proof": {"Authorization": f"Bearer {token()}"},
        "proof for another address": shown(token(), path="/v1/system/tasks"),
        "proof for another method": shown(token(), method="POST"),
        "bound to nothing": shown(token(cnf=None)),
        "client with a secret": shown(token(client_amr="client_secret_post")),
        "development": {
            "Authorization": f"Bearer {development.token(production.development, 'd', right)}"
        },
    }
    answers = {name: http.get(path, headers=headers) for name, headers in hostile.items()}
    assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(hostile, 401)
    for answer in answers.values():
        assert answer.json()["type"] == "urn:timevalg:problem:not-signed-on"

    other = http.get(path, headers=shown(token(**{orgnr: ELSEWHERE})))
    nobody = http.get(path, headers=shown(token(client_id="somebody")))
    assert (other.status_code, nobody.status_code) == (404, 403)


def none_header():
    import base64

    head = json.dumps({"alg": "none", "kid": "k-1"}).encode()
    return base64.urlsafe_b64encode(head).rstrip(b"=").decode()

"""A patient lives through everything; their number and name are nowhere but in the database."""

import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import httpx2
from redis import Redis

from benchmarks import servers
from tests.serving import environment, free_port, served
from tests.world import ORGANISATION, document
from timevalg.identity import development
from timevalg.store import Database

NUMBER, MUMS = "30108299920", "02013299997"
CANARIES = (NUMBER, MUMS, "Kanari", "kanari@example.test", "+4740404040")
KARI = {"patient": "p-1", "name": "Kanari Fugl", "email": "kanari@example.test"}
MUM = {"patient": "p-1", "identity": MUMS, "basis": "attorney"}


def test_a_patient_is_named_in_no_log_no_broker_no_error_and_no_address(tmp_path, postgres_url):
    asked, refused = [], []
    with (
        servers.redis(private=True) as server,
        Redis.from_url(server.url) as client,
        client.monitor() as monitor,
    ):
        env = environment(tmp_path, DATABASE_URL=postgres_url, REDIS_URL=server.url)
        port = free_port()
        worker = subprocess.Popen(
            [sys.executable, "-m", "timevalg.cli", "worker"],
            env=env,
            stderr=subprocess.PIPE,
            text=True,
        )
        with served(env, port) as api, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
            key = development.path_of(env["TIMEVALG_DEVELOPMENT_KEY"])

            def ask(role, method, path, body=None, status=2):
                right = {"role": role, "organisation": ORGANISATION, "patient": "p-1"}
                headers = {
                    "Authorization": f"Bearer {development.token(key, 'x', right)}",
                    "Idempotency-Key": str(len(asked)),
                    "If-Match": "*",
                }
                answer = http.request(method, path, json=body, headers=headers)
                assert answer.status_code // 100 == status, answer.text
                asked.append(str(answer.request.url))
                if status != 2:
                    refused.append(answer.text)
                return answer.json()

            live(ask, postgres_url)
            api.send_signal(signal.SIGTERM)
            written = api.stderr.read()
        worker.send_signal(signal.SIGTERM)
        _, worked = worker.communicate(timeout=30)
        client.echo("the end")
        heard = list(iter(lambda: monitor.next_command()["command"], "ECHO the end"))
    store = Database(postgres_url)
    works, patients = store.run(
        ORGANISATION, lambda unit: (unit.work.find(), unit.patients.find()), write=False
    )
    store.close()
    found = {
        "logs of the server": written,
        "logs of the worker": worked,
        "broker": "".join(heard),
        "addresses": "".join(asked),
        "errors": "".join(refused) + "".join(work.error for work in works),
    }
    assert all(found.values())
    assert len(refused) == 5
    assert [(w, c) for w, text in found.items() for c in CANARIES if c in text] == []
    assert NUMBER not in repr(patients)
    assert NUMBER in {p.identity for p in patients}  # it is where it belongs


def live(ask, url):
    """From the invitation to the letter, with whatever can be got wrong about a number."""
    today = datetime.now(UTC).date()
    days = {
        "opens": str(today - timedelta(days=1)),
        "due": str(today + timedelta(days=7)),
        "not_after": str(today + timedelta(days=60)),
    }
    system, mine = "/v1/system", "/v1/patient"
    ask("system", "POST", f"{system}/publications", {"files": [{"document": document()}]})
    ask("system", "POST", f"{system}/patients/register", KARI | {"identity": NUMBER})
    ask("system", "POST", f"{system}/patients/represent", MUM)
    other = {"patient": "p-2", "identity": NUMBER}
    ask("system", "POST", f"{system}/patients/register", other, 4)
    ask("system", "POST", f"{system}/patients/register", {"patient": NUMBER}, 4)
    ask("system", "POST", f"{system}/patients/register", KARI | {"identity": NUMBER[:-1] + "1"}, 4)
    ask("system", "POST", f"{system}/patients/register", KARI | {"identity": [NUMBER]}, 4)
    ask("system", "POST", f"{system}/patients/register", KARI | {"language": MUMS}, 4)
    wanted = {"patient": "p-1", "pools": ["auto"]} | days
    (made,) = ask("system", "POST", f"{system}/invitations", {"invitations": [wanted]})[
        "invitations"
    ]
    task = made["task"]["id"]
    offer = ask("patient", "GET", f"{mine}/tasks/{task}/offers")["offers"][0]
    ask("patient", "POST", f"{mine}/tasks/{task}/choice", {"start": offer["start"]})
    assert NUMBER in json.dumps(ask("patient", "GET", f"{mine}/data"))
    store, tick = Database(url), threading.Event()
    for _ in range(1200):
        sent = store.run(
            ORGANISATION, lambda unit: unit.letters.find(kind="appointment"), write=False
        )
        if sent and sent[0].state != "pending":
            break
        tick.wait(0.05)
    store.close()
    assert sent
    assert sent[0].patient == "p-1"

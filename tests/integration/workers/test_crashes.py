"""A worker dies at each point of an effect; another one comes, and what is true is told."""

import multiprocessing
import signal
from contextlib import contextmanager

import pytest
from psycopg import connect

from tests.integration.workers import crashing
from tests.integration.workers.test_running import choose_today
from tests.waiting import until

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.integration.workers.crashing"])

TOLD = {
    # point: (sent, state) to a receiver that does not deduplicate, and to one that does
    "before effect": ((0, "unknown"), (1, "sent")),
    "after effect": ((1, "unknown"), (2, "sent")),
    "after mark": ((1, "unknown"), (2, "sent")),
    "after commit": ((1, "sent"), (1, "sent")),
}
"""How often a letter comes to the mail server, which drops a second one if it deduplicates."""


def crash(settings, postgres_url, redis_url, point, kind):
    """Let a worker die at a point of a kind, and its leases run out."""
    process = PROCESSES.Process(target=crashing.work, args=(settings, redis_url, point, kind))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE work SET leased_until = 0 WHERE state = 'leased'")


@contextmanager
def another(settings, redis_url):
    """Let another worker come."""
    process = PROCESSES.Process(target=crashing.work, args=(settings, redis_url))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(30)


@pytest.mark.parametrize("deduplicates", [False, True], ids=["at most once", "deduplicates"])
@pytest.mark.parametrize("point", crashing.POINTS)
def test_a_crash_loses_nothing_and_repeats_nothing(
    world, environment, postgres_url, redis_url, receiver, point, deduplicates
):
    settings = environment | {
        "TIMEVALG_SMTP": f"{receiver.smtp}?deduplicates={'yes' if deduplicates else 'no'}"
    }
    _, visit = choose_today(world)
    crash(settings, postgres_url, redis_url, point, "send letter")
    number, state = TOLD[point][deduplicates]
    with another(settings, redis_url):
        (letter,) = until(
            lambda: world.read(lambda u: u.letters.find(appointment=visit.id, state=state))
        )
        until(lambda: not world.read(lambda u: u.work.find(kind="send letter", state="leased")))
    assert receiver.mails[letter.id] == number
    listed = [letter.id in case.reason for case in world.cases("letter-unknown")]
    assert listed == ([True] if state == "unknown" else [])
    works = world.read(lambda unit: unit.work.find(kind="send letter"))
    assert [w.state for w in works] == ["done"]


@pytest.mark.parametrize(
    ("point", "deduplicates"),
    [*((point, False) for point in crashing.POINTS), ("after effect", True)],
)
def test_a_crash_at_a_webhook_loses_nothing_and_repeats_nothing(
    world, environment, postgres_url, redis_url, receiver, point, deduplicates
):
    world.dips.subscribe(receiver.url, "DIPS_KEY", ["task.confirmed"], deduplicates=deduplicates)
    choose_today(world)
    crash(environment, postgres_url, redis_url, point, "deliver")
    number, state = TOLD[point][deduplicates]
    with another(environment, redis_url):
        (delivery,) = until(lambda: world.read(lambda u: u.deliveries.find(state=state)))
        until(lambda: world.read(lambda u: u.work.find(kind="deliver", state="done")))
    assert receiver.events.get(delivery.event, 0) == number
    listed = [case.ref for case in world.cases("delivery-unknown")]
    assert listed == ([delivery.event] if state == "unknown" else [])

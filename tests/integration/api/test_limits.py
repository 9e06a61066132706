"""Limits on more than one request: rates over processes, and requests that take too long."""

from __future__ import annotations

import asyncio
import threading

import limits
import pytest
import sqlalchemy as sa
import structlog
from anyio.to_thread import current_default_thread_limiter
from redis import Redis
from starlette.concurrency import run_in_threadpool

from benchmarks import servers
from tests.integration.api.conftest import Caller, sign_on
from tests.waiting import until
from tests.world import ORGANISATION, World
from timevalg.api.app import make_app
from timevalg.api.rates import Rates
from timevalg.settings import Settings
from timevalg.store import Database
from timevalg.store.postgres import lock_number

THREE = limits.parse("3/minute")


async def asked(rates, times, who="p-1"):
    found = [not await one.wait(THREE, "principal", who) for _ in range(times) for one in rates]
    for one in rates:
        await one.close()
    return found


@pytest.mark.parametrize("shared", [False, True], ids=["no Redis", "Redis"])
def test_processes_count_together_where_there_is_redis(redis_url, shared):
    async def both():
        return await asked([Rates(redis_url if shared else "") for _ in range(2)], 3, f"a {shared}")

    assert asyncio.run(both()).count(True) == (3 if shared else 6)


def test_how_long_to_wait_goes_by_the_oldest_that_counts(redis_url):
    """Of three requests within a minute; the oldest, said to be older than it is, counts less."""

    async def waits():
        rates = Rates(redis_url)
        found = [await rates.wait(THREE, "principal", "p-1") for _ in range(4)]
        with Redis.from_url(redis_url) as client:
            (key,) = client.keys("timevalg:rate*")
            oldest = float(client.lindex(key, 2))
            for earlier in (50, 61):
                client.lset(key, 2, str(oldest - earlier))
                found.append(await rates.wait(THREE, "principal", "p-1"))
        await rates.close()
        return found

    *within, over, later, again = asyncio.run(waits())
    assert within == [0, 0, 0]
    assert 0 < over <= 60
    assert 0 < later <= 10
    assert again == 0


def test_redis_is_not_told_who(redis_url):
    asyncio.run(asked([Rates(redis_url)], 1, "30108299920"))
    with Redis.from_url(redis_url) as client:
        keys = [key.decode() for key in client.keys("timevalg:rate*")]
    assert keys
    assert not [key for key in keys if "30108299920" in key]


def test_without_redis_limits_go_on_and_nobody_is_locked_out():
    async def over_its_end():
        with servers.redis(private=True) as server:
            rates = Rates(server.url)
            before = await asked([rates], 2)
        return before + await asked([rates], 4)

    with structlog.testing.capture_logs() as logs:
        assert asyncio.run(over_its_end()) == [True] * 5 + [False]
    assert [entry["event"] for entry in logs] == ["rates counted alone"]  # it is not asked again


def test_what_takes_too_long_is_answered_and_may_have_happened(postgres_url):
    """A transaction of somebody else's holds the organisation; the caller does not wait for it."""
    world = World(lambda clock: Database(postgres_url, clock))
    task = world.invited()
    settings = Settings.of({"TIMEVALG_PATIENCE": "1"})
    me = Caller(make_app(world.ports, settings, sign_on), "patient:p-1")
    engine = sa.create_engine(postgres_url)
    answered = threading.Event()

    def decline():
        answers.append(me.post(f"/v1/patient/tasks/{task.id}/decline", {"reason": "x"}))
        answered.set()

    answers = []
    asking = threading.Thread(target=decline)
    with engine.begin() as other:
        key = {"key": lock_number(ORGANISATION)}
        other.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), key)
        asking.start()
        assert answered.wait(60)  # while the lock is still held
    asking.join()
    (answer,) = answers
    assert (answer.status_code, answer.json()["type"]) == (504, "urn:timevalg:problem:slow")
    engine.dispose()
    until(lambda: world.task(task.id).state == "declined")  # it is done in the end
    until(lambda: not world.store._engine.pool.checkedout())
    world.store.close()


def test_each_process_works_on_so_many_requests_at_a_time(world):
    """The third of three that wait for each other is not begun while two may be."""
    app = make_app(world.ports, Settings.of({"TIMEVALG_THREADS": "2"}), sign_on)
    begun, waiting = [], threading.Event()

    def waits(number: int) -> None:
        begun.append(number)
        assert waiting.wait(30)

    async def three():
        async with app.router.lifespan_context(app):
            asked = [asyncio.create_task(run_in_threadpool(waits, n)) for n in range(3)]
            async with asyncio.timeout(30):
                while len(begun) < 2:
                    await asyncio.sleep(0)
            idle = current_default_thread_limiter().statistics()
            waiting.set()
            await asyncio.gather(*asked)
            return idle

    found = asyncio.run(three())
    assert (found.borrowed_tokens, found.tasks_waiting) == (2, 1)
    assert len(begun) == 3

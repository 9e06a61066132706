"""`timevalg reserve` and `timevalg offers`, on a file alone and on a database."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.commands import timevalg
from timevalg import Timevalg
from timevalg.prover import CpSat, Limits
from timevalg.store import SetClock

GASTRO = Path(__file__).parents[2] / "examples" / "gastro"
NOW = "2027-01-04T08:00"
TUESDAY = "2027-01-12"
RESOURCES = {"doctor": ["dr"], "room": ["room"]}


def document(*tasks, holds=(), **pool):
    """One doctor and one room; two hours on Tuesdays, visits of one, a start each half-hour."""
    opening = [{"days": ["tue"], "from": "09:00", "to": "11:00"}]
    return {
        "format": 1,
        "clinic": {
            "id": "mini",
            "organisation": "999999999",
            "timezone": "Europe/Oslo",
            "hours": [
                {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:00"}
            ],
        },
        "resources": [{"id": "dr", "kind": "clinician"}, {"id": "room", "kind": "room"}],
        "services": [
            {
                "id": "visit",
                "length": 60,
                "roles": [{"id": "doctor", "kind": "clinician"}, {"id": "room", "kind": "room"}],
            }
        ],
        "pools": [
            {"id": "p", "service": "visit", "open": opening, "raster": 30, "horizon": 60} | pool
        ],
        "holds": list(holds),
        "tasks": list(tasks),
    }


def task(number, **other):
    return {
        "id": f"t-{number}",
        "patient": f"p-{number}",
        "pools": ["p"],
        "opens": "2027-01-04",
        "due": "2027-01-06",
        "not_before": TUESDAY,
        "not_after": TUESDAY,
        "deadline": f"2027-01-{19 + number}",
    } | other


def hold(number, start, until="2027-01-04T08:05"):
    return {
        "task": f"t-{number}",
        "pool": "p",
        "start": f"{TUESDAY}T{start}",
        "until": until,
        "resources": RESOURCES,
    }


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """However busy the machine is, the prover comes to its end."""
    for module in ("timevalg.cli.reserve", "timevalg.cli.offers", "timevalg.wiring"):
        monkeypatch.setattr(f"{module}.CpSat", lambda: CpSat(Limits(wall=600.0)))


@pytest.fixture
def ask(tmp_path):
    """Run a command in this process; a mapping is written to a file first."""

    def run(command, *arguments):
        words = []
        for word in arguments:
            if isinstance(word, dict):
                (tmp_path / "mini.yaml").write_text(yaml.safe_dump(word), encoding="utf-8")
                word = tmp_path / "mini.yaml"
            words.append(word)
        done = timevalg(command, *words)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def answer(ask):
    def run(*arguments):
        status, out, err = ask(*arguments, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    return run


def starts(rows):
    return [row["start"][11:16] for row in rows]


def test_reserve_places_every_live_task_and_names_what_is_missing(answer):
    found = answer("reserve", document(task(1), task(2), task(3)), "--now", NOW)
    assert [r["task"] for r in found["reserves"]] == ["t-1", "t-2"]
    assert sorted(starts(found["reserves"])) == ["09:00", "10:00"]
    assert found["reserves"][0]["start"].endswith("+01:00")
    assert found["reserves"][0]["resources"] == RESOURCES
    assert found["reserves"][0]["pool"] == "p"
    (short,) = found["unservable"]
    assert short["task"] == "t-3"  # the latest deadline
    assert short["shortage"] == {
        "roles": ["doctor", "room"],
        "from": TUESDAY,
        "to": TUESDAY,
        "minutes": 60,
        "cures": [{"change": "not_after +7 days", "starts": 3}],
    }
    assert found["proven"] is True


def test_reserve_cures_what_the_fallback_notice_forbids(answer):
    file = document(task(1), notice=10)
    (short,) = answer("reserve", file, "--now", NOW)["unservable"]
    changes = [c["change"] for c in short["shortage"]["cures"]]
    assert "notice 10 -> 5" in changes
    assert "not_after +7 days" in changes
    assert answer("reserve", document(task(1), notice=5), "--now", NOW)["unservable"] == []


def test_reserve_by_priority(answer):
    file = document(task(1, priority=5), task(2, priority=1), task(3, priority=2))
    found = answer("reserve", file, "--now", NOW)
    assert [u["task"] for u in found["unservable"]] == ["t-1"]


def test_a_held_time_is_the_place_if_it_is_a_valid_one(answer):
    kept = answer("reserve", document(task(1), holds=[hold(1, "09:30")]), "--now", NOW)
    assert starts(kept["reserves"]) == ["09:30"]
    beside = document(task(1), task(2), holds=[hold(1, "09:30")])
    assert len(answer("reserve", beside, "--now", NOW)["unservable"]) == 1
    expired = answer("reserve", document(task(1), holds=[hold(1, "09:30")]), "--now", f"{NOW}:00")
    assert starts(expired["reserves"]) == ["09:30"]
    later = "2027-01-04T08:06"
    assert starts(
        answer("reserve", document(task(1), holds=[hold(1, "09:30")]), "--now", later)["reserves"]
    ) == ["10:00"]


def test_a_held_time_that_is_no_valid_place_leaves_another(answer):
    """Held at 09:00, but this patient must be done before nobody chose: the place is elsewhere."""
    late = task(1, times=[{"from": "10:00", "to": "11:00"}])
    found = answer("reserve", document(late, holds=[hold(1, "09:00")]), "--now", NOW)
    assert starts(found["reserves"]) == ["10:00"]


def test_tasks_that_are_not_live_get_no_place(answer):
    file = document(task(1, state="draft"), task(2, state="confirmed"), task(3))
    found = answer("reserve", file, "--now", NOW)
    assert [r["task"] for r in found["reserves"]] == ["t-3"]


def test_offers_are_safe_best_first_and_the_unsafe_are_counted(answer):
    file = document(task(1), task(2))
    found = answer("offers", file, "--task", "t-1", "--now", NOW)
    assert found["task"] == "t-1"
    assert starts(found["offers"]) == ["09:00", "10:00"]
    assert [o["score"] for o in found["offers"]] == sorted(
        (o["score"] for o in found["offers"]), reverse=True
    )
    assert set(found["offers"][0]) == {"start", "pool", "resources", "score", "parts"}
    assert (found["unsafe"], found["undecided"]) == (1, 0)  # 09:30 would strand t-2
    alone = answer("offers", document(task(1)), "--task", "t-1", "--now", NOW)
    assert starts(alone["offers"]) == ["09:00", "09:30", "10:00"]
    best = answer("offers", document(task(1)), "--task", "t-1", "--now", NOW, "--limit", 1)
    assert starts(best["offers"]) == ["09:00"]


def test_offers_have_wishes(answer):
    file = document(task(1))
    asked = ("offers", file, "--task", "t-1", "--now", NOW)
    assert starts(answer(*asked, "--after", "09:30")["offers"]) == ["09:30", "10:00", "09:00"]
    kept = answer(*asked, "--after", "09:30", "--must", "after")["offers"]
    assert starts(kept) == ["09:30", "10:00"]
    assert answer(*asked, "--days", "wed", "--must", "days")["offers"] == []
    assert answer(*asked, "--not-on", TUESDAY, "--must", "not_on")["offers"] == []


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--days", "lørdag", "is not one of mon, tue"),
        ("--before", "25:00", "is not a time of day"),
        ("--must", "luck", "names no wish: luck"),
        ("--not-on", "2027-02-30", "is no date"),
        ("--must", "days", "must: names days, but no such wish is given"),
        ("--sex", "x", "sex: 'x' is not one of female, male, other, unknown"),
        ("--modes", "tele", "modes: 'tele' is not one of physical, video, phone, home"),
        ("--clinicians", "nope", "--clinicians: there is no clinician 'nope'; there is "),
        ("--places", "zz", "--places: there is no place 'zz'; there is "),
        ("--after", "12:00 --before 08:00", "before: 08:00 is not later than after, 12:00"),
        ("--after", "12:00 --before 12:00", "before: 12:00 is not later than after, 12:00"),
        (
            "--earliest",
            "2027-02-02 --latest 2027-02-01",
            "latest: 2027-02-01 comes before earliest, 2027-02-02",
        ),
    ],
)
def test_odd_wishes_are_named(ask, option, value, said):
    words = (option, *value.split())
    status, out, told = ask("offers", GASTRO, "--task", "t-1", "--now", NOW, *words)
    assert (status, out) == (2, "")
    assert said in told


def test_the_example_is_answered_for_people_too(ask):
    status, out, _ = ask("reserve", GASTRO, "--now", NOW)
    assert status == 0
    assert "3 reserves" in out
    status, out, _ = ask("offers", GASTRO, "--task", "t-1", "--now", NOW, "--limit", 3)
    assert status == 0
    assert "3 safe offers for t-1" in out
    status, out, _ = ask("reserve", document(task(1), task(2), task(3)), "--now", NOW)
    assert "t-3 cannot be served" in out
    assert "it would help: not_after +7 days" in out
    assert "no plan serves more" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reserve",), "just one of the two"),
        (("reserve", GASTRO, "--database", "sqlite:///x"), "just one of the two"),
        (("reserve", GASTRO, "--now", "soon"), "no date-time"),
        (("offers", GASTRO, "--task", "t-11"), "did you mean"),
    ],
)
def test_wrong_input_is_said_and_ends_with_2(ask, arguments, said):
    status, out, err = ask(*arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_both_answer_from_a_database(answer, ask, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/mini.sqlite"
    clock = SetClock(datetime(2027, 1, 4, 8, tzinfo=ZoneInfo("Europe/Oslo")))
    day = date(2027, 1, 12)
    with Timevalg.open(url, organisation="999999999", clock=clock) as valg:
        desk = valg.planner("anna")
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(document()), encoding="utf-8")
        desk.publish(tmp_path / "p.yaml")
        sent = [
            desk.invite(
                patient=f"p-{n}",
                pools=["p"],
                opens=date(2027, 1, 4),
                due=date(2027, 1, 6),
                not_before=day,
                not_after=day,
            ).task
            for n in (1, 2)
        ]
        assert desk.reserves().places.keys() == {t.id for t in sent}
        missing = desk.invite(
            patient="p-3",
            pools=["p"],
            opens=day.replace(day=4),
            due=day.replace(day=6),
            not_before=day,
            not_after=day,
        )
        assert [c.change for c in missing.shortage.cures] == ["not_after +7 days"]
    found = answer("reserve", "--database", url, "--now", NOW)
    assert {r["task"] for r in found["reserves"]} == {t.id for t in sent}
    assert (found["unservable"], found["proven"]) == ([], True)
    monkeypatch.setenv("TIMEVALG_DATABASE_URL", url)
    assert answer("reserve", "--now", NOW) == found
    assert answer("reserve", GASTRO, "--now", NOW) != found
    offered = answer("offers", "--database", url, "--task", sent[0].id, "--now", NOW)
    assert starts(offered["offers"]) == ["09:00", "10:00"]
    assert (offered["unsafe"], offered["undecided"]) == (1, 0)
    status, _, err = ask("reserve", "--database", url, "--organisation", "888888888")
    assert status == 2
    assert "'888888888' has no clinic in this database; there is " in err

"""Over HTTP: wishes, pages by time, letters, the own calendar, and links from letters."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from icalendar import Calendar

from tests.integration.api.conftest import Caller, sign_on
from timevalg.api.app import make_app
from timevalg.settings import Settings

TASKS = "/v1/patient/tasks"
VISITS = "/v1/patient/appointments"


@pytest.fixture
def task(world):
    return world.invited()


@pytest.fixture
def visit(world, me, task):
    first = me.get(f"{TASKS}/{task.id}/offers").json()["offers"][0]["start"]
    chosen = me.post(f"{TASKS}/{task.id}/choice", {"start": first}, key="k").json()
    world.work()
    return chosen


def starts(answer):
    assert answer.status_code == 200, answer.text
    return [offer["start"] for offer in answer.json()["offers"]]


def test_wishes_that_must_be_kept_filter(me, task):
    path = f"{TASKS}/{task.id}/offers?limit=100"
    found = starts(me.get(f"{path}&days=tue&days=thu&before=10:00&must=days&must=before"))
    assert found
    for start in found:
        assert start[8:10] in {"12", "14", "19", "21", "26", "28", "07"}
        assert start[11:16] <= "09:30"
    ranked = starts(me.get(f"{path}&after=11:00"))
    assert ranked[0][11:16] >= "11:00"
    assert len(ranked) > len(starts(me.get(f"{path}&after=11:00&must=after")))


def test_pages_by_time_give_every_offer_once_and_in_order(me, task):
    path = f"{TASKS}/{task.id}/offers?order=time&must=latest&latest=2027-01-15"
    whole = starts(me.get(f"{path}&limit=100"))
    assert whole == sorted(whole)
    assert len(whole) > 20
    pages, cursor = [], ""
    while True:
        page = me.get(f"{path}&limit=7&cursor={cursor}")
        pages += starts(page)
        cursor = page.json()["next"]
        if not cursor:
            break
    assert pages == whole


@pytest.mark.parametrize("bound", ["MOST", "STEPS_A_LOOK"])
def test_a_page_that_stops_early_says_where_to_go_on(world, me, task, monkeypatch, bound):
    """However little is settled in a look: no start is lost, only the pages are more."""
    for n in range(2, 6):
        world.invited(f"p-{n}", not_before=date(2027, 1, 12), not_after=date(2027, 1, 15))
    path = f"{TASKS}/{task.id}/offers?order=time&must=latest&latest=2027-01-15"
    whole = starts(me.get(f"{path}&limit=100"))
    monkeypatch.setattr(f"timevalg.solver.offers.{bound}", 3)
    pages, cursor = [], ""
    for _ in range(len(whole) + 1):
        page = me.get(f"{path}&limit=100&cursor={cursor}")
        pages.append(starts(page))
        cursor = page.json()["next"]
        if not cursor:
            break
    assert [start for page in pages for start in page] == whole
    assert len(pages) > 1


def test_pages_by_time_do_not_lose_a_start_that_two_pools_have(world, me):
    both = world.invited(pools=("auto", "manual"))
    path = f"{TASKS}/{both.id}/offers?order=time&limit=1"
    first = me.get(path).json()
    second = me.get(f"{path}&cursor={first['next']}").json()
    (one,), (other,) = first["offers"], second["offers"]
    assert one["start"] == other["start"]
    assert {one["pool"], other["pool"]} == {"auto", "manual"}


def test_a_change_has_wishes_and_pages_too(me, visit):
    found = starts(
        me.get(f"{VISITS}/{visit['id']}/offers?order=time&limit=5&after=10:00&must=after")
    )
    assert len(found) == 5
    assert all(start[11:16] >= "10:00" for start in found)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("days=lørdag", "/query/days/0"),
        ("after=8", "/query/after"),
        ("before=25:00", "/query/before"),
        ("not_on=2027-02-30", "/query/not_on/0"),
        ("sex=yes", "/query/sex"),
        ("must=luck", "/query/must/0"),
        ("cursor=x", "/query/cursor"),
        ("order=time&cursor=x", "/query/cursor"),
        ("order=worst", "/query/order"),
        ("limit=101", "/query/limit"),
        ("wish=1", "/query/wish"),
    ],
)
def test_odd_wishes_are_pointed_at(me, task, query, pointer):
    answer = me.get(f"{TASKS}/{task.id}/offers?{query}")
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_a_letter_is_read_as_html_or_as_text(me, visit):
    (letter,) = me.get("/v1/patient/letters").json()["letters"]
    assert (letter["kind"], letter["appointment"]) == ("appointment", visit["id"])
    path = f"/v1/patient/letters/{letter['id']}"
    html, plain = me.get(path), me.get(path, Accept="text/plain")
    assert html.headers["Content-Type"] == "text/html; charset=utf-8"
    assert html.text.lstrip().lower().startswith("<!doctype html>")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "<" not in plain.text
    assert html.headers["Content-Language"] == letter["language"]
    assert "<style>" in html.text
    policy = dict(p.split(maxsplit=1) for p in html.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["style-src"] == "'unsafe-inline'"  # the letter's own style


def test_the_own_calendar(me, visit):
    answer = me.get(f"{VISITS}/{visit['id']}/calendar.ics", Accept_Language="en")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(answer.text).walk("VEVENT")
    assert event["DTSTART"].dt.isoformat() == visit["start"]
    assert event["SUMMARY"] == "Hospital appointment"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("en", "The clinic"),
        ("EN-gb;q=0.5", "The clinic"),
        ("en;q=0", "Klinikken"),
        ("en;q=0.000, de", "Klinikken"),
        ("en;q=0.2, nb;q=0.9", "Klinikken"),
        ("nb;q=0.2, en;q=0.9", "The clinic"),
        ("nb;q=0, en ; q=0.1", "The clinic"),
        ("no;q=0.2, en;q=0.5, nb;q=0.9", "Klinikken"),
        ("en-gb;q=0.3, nb;q=0.5, en;q=0.9", "The clinic"),
        ("de, en", "The clinic"),
        ("sel, en;q=0.5", "The clinic"),
        ("nb, en", "Klinikken"),
        ("", "Klinikken"),
    ],
)
def test_the_language_that_is_asked_for_most(me, task, asked, name):
    answer = me.get(f"{TASKS}/{task.id}", Accept_Language=asked)
    assert answer.json()["clinic_name"] == name


def test_nobody_elses(caller, me, visit):
    (letter,) = me.get("/v1/patient/letters").json()["letters"]
    (preparation, _) = me.get(f"{VISITS}/{visit['id']}/preparations").json()["preparations"]
    other = caller("patient:p-2")
    assert other.get("/v1/patient/letters").json()["letters"] == []
    for path in (
        f"/v1/patient/letters/{letter['id']}",
        f"{VISITS}/{visit['id']}/calendar.ics",
        f"{VISITS}/{visit['id']}/offers",
        f"{VISITS}/{visit['id']}/preparations",
        f"{TASKS}/{visit['task']}/link",
    ):
        assert other.get(path).status_code == 404, path
    for path in (
        f"/v1/patient/preparations/{preparation['id']}/answer",
        f"{VISITS}/{visit['id']}/acknowledge",
    ):
        assert other.post(path).status_code == 404, path


def test_an_answer_is_to_the_preparation_that_was_read(me, visit):
    (form, _) = me.get(f"{VISITS}/{visit['id']}/preparations").json()["preparations"]
    path = f"/v1/patient/preparations/{form['id']}/answer"
    assert me.post(path, version=None).status_code == 428
    stale = me.post(path, {"answer": "no"}, version='"99"')
    assert (stale.status_code, stale.json()["actual"]) == (412, form["version"])
    done = me.post(path, {"answer": "no"}, version=f'"{form["version"]}"')
    assert done.status_code == 200
    assert done.headers["ETag"] == f'"{done.json()["version"]}"'


def test_i_am_coming_is_said_of_the_time_that_was_read(me, visit):
    path = f"{VISITS}/{visit['id']}"
    read = me.get(path).headers["ETag"]
    other = me.get(f"{path}/offers").json()["offers"][2]["start"]
    me.post(f"{path}/change", {"start": other}, key="c", version=read)
    assert me.post(f"{path}/acknowledge", version=read).status_code == 412
    now = me.get(path).headers["ETag"]
    assert [me.post(f"{path}/acknowledge", version=now).status_code for _ in "ab"] == [200, 200]


def test_a_link_leads_to_the_task(me, task):
    answer = me.get(f"{TASKS}/{task.id}/link")
    assert answer.status_code == 200  # the client has followed it
    assert answer.json()["id"] == task.id


def test_a_link_leads_through_sign_on(world, task):
    page = "https://sign.example/start?return_to={}"
    app = make_app(world.ports, Settings.of({"TIMEVALG_SIGN_ON": page}), sign_on)
    nobody = Caller(app, None)
    link = f"{TASKS}/{task.id}/link"
    answer = nobody.get(link)
    assert answer.status_code == 401
    there = answer.json()["sign_on"]
    assert answer.headers["Refresh"] == f"0; url={there}"
    assert parse_qs(urlsplit(there).query) == {"return_to": [link]}
    unknown = nobody.get(f"{TASKS}/nobody's/link")
    assert (unknown.status_code, set(unknown.json())) == (401, set(answer.json()))
    assert "sign_on" not in nobody.get(TASKS).json()
    odd = nobody.get(f"{TASKS}/%0d%0aSet-Cookie:%20x&return_to=https:%2f%2fevil.example/link")
    assert "evil" not in odd.headers.get("Refresh", "") or "%252F" in odd.headers["Refresh"]
    assert "Set-Cookie" not in odd.headers


def test_who_has_looked_is_told_page_by_page(world, me, task):
    for _ in range(3):  # at the same instant, and later
        me.get(f"{TASKS}/{task.id}")
        me.get(f"{TASKS}/{task.id}/offers")
        world.clock.advance(timedelta(minutes=1))
    whole = me.get("/v1/patient/access-log?limit=100").json()["entries"]
    pages, cursor = [], ""
    while True:
        page = me.get(f"/v1/patient/access-log?limit=2&after={cursor}").json()
        pages += page["entries"]
        cursor = page["next"]
        if not cursor or len(pages) >= 20:
            break
    assert [e for e in pages if e["subject"] != "access log"] == [
        e for e in whole if e["subject"] != "access log"
    ]
    assert me.get("/v1/patient/access-log?after=none").status_code == 404

"""A clinic that uses every key of the format, and what it refers to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from timevalg.clinic import read
from timevalg.model.contents import Contents
from timevalg.model.errors import InvalidInput, Problem

GASTRO = """\
format: 1
clinic:
  id: gastro                       # [a-z0-9-]+
  organisation: "999999999"        # the trust = the tenant
  name: {nb: Gastroenterologisk poliklinikk, en: Gastroenterology clinic}     # or one plain string
  timezone: Europe/Oslo
  cell: 5                          # minutes
  holidays: "NO"
  closed: [{from: 2027-07-05, to: 2027-07-30, reason: Sommerferie}]
  planned_until: 2027-06-30
  hours: [{days: [mon, tue, wed, thu, fri], from: "08:00", to: "16:00"}]
  place: {name: Haugesund sjukehus, room: "5. etg., Medisinsk poliklinikk"}
resources:
  - id: dr-berg
    kind: clinician                # clinician | room | equipment
    name: Kari Berg
    sex: female
    languages: [nb, en]
    skills: [endoscopy, consultation]
    hours:
      - {days: [mon, tue, thu], from: "08:00", to: "15:30"}
      - {days: [wed], from: "08:30", to: "15:00", weeks: [1, 3], of: 4, since: 2027-01-04}
      - {days: [fri], from: "08:00", to: "12:00", for: [colonoscopy-first]}
      - {days: [mon], from: "16:00", to: "20:00", valid: {from: 2027-02-01, to: 2027-03-31}}
    away:
      - {from: 2027-02-15, to: 2027-02-19, reason: Kurs}
      - {from: "2027-03-01T12:00", to: "2027-03-01T16:00"}
      - {days: [tue], from: "12:00", to: "13:00", reason: Undervisning}
    busy: dr-berg.ics
  - {id: chair, kind: room, capacity: 6}
  - {id: room-7, kind: room, owner: surgery}
  - {id: dr-lie, kind: clinician, skills: [endoscopy]}
  - {id: nurse-1, kind: clinician, skills: [endoscopy-nurse]}
  - {id: nurse-2, kind: clinician, skills: [endoscopy-nurse]}
  - {id: nurse-3, kind: clinician, skills: [endoscopy-nurse]}
  - {id: room-1, kind: room, skills: [endoscopy-room]}
  - {id: room-2, kind: room, skills: [endoscopy-room]}
services:
  - id: colonoscopy
    name: {nb: Koloskopi, en: Colonoscopy}
    mode: physical
    length: 60
    roles:
      - {id: endoscopist, kind: clinician, skills: [endoscopy], start: 10, length: 45}
      - {id: nurse, kind: clinician, skills: [endoscopy-nurse], count: 2}
      - {id: room, kind: room, skills: [endoscopy-room], start: -5, length: 80}
    together: [{roles: [endoscopist, room], allowed: [[dr-berg, room-1], [dr-berg, room-2], [dr-lie, room-2]]}]
    preparations:
      - {id: mrsa, name: Svare på skjema (MRSA), kind: form, due: 14}
      - {id: medicines, name: Fyll ut medisinliste, kind: form, due: 5, limits: false}
      - {id: bowel, name: Tømme tarmen, kind: instruction, start: 7}
      - {id: interpreter, name: Bestille tolk, kind: errand, by: staff, due: 10, limits: false}
pools:
  - id: colonoscopy-first
    service: colonoscopy
    resources: [dr-berg, dr-lie, nurse-1, nurse-2, nurse-3, room-1, room-2]
    open:
      - {days: [tue, thu], from: "09:00", to: "12:00"}
      - {days: [fri], from: "08:00", to: "10:00", release: 7}
    raster: 30
    notice: 3
    fallback_notice: 14
    horizon: 90
    check: auto
    fallback: assign
    hold: 10
    letter: auto
    check_rules: [preparations, deadline, same-day]
    weights: {earliness: 1, wishes: 2, same_clinician: 1, gaps: 0.5, scarcity: 1}
    change: {until: 2, times: 2}
    cancel: {until: 1}
quotas:
  - {pools: [colonoscopy-first], per: day, max: 4}
  - {pools: [colonoscopy-first], each: clinician, per: week, max: 6}
bookings:
  - {id: b-1, ref: "dips:kontakt/88", patient: p-9, task: t-9, service: colonoscopy, pool: colonoscopy-first, origin: allotted, start: "2027-01-12T09:00", resources: {endoscopist: [dr-berg], nurse: [nurse-1, nurse-2], room: [room-1]}}
busy: [{resource: room-2, from: "2027-01-12T08:00", to: "2027-01-12T10:00"}]
holds: [{task: t-2, pool: colonoscopy-first, start: "2027-01-14T09:00", until: "2027-01-04T09:10", resources: {endoscopist: [dr-lie], nurse: [nurse-2, nurse-3], room: [room-2]}}]
tasks:
  - id: t-1
    ref: "dips:oppgave/4711"
    patient: p-1
    pools: [colonoscopy-first]
    mode: choose
    priority: 2
    opens: 2027-01-04
    due: 2027-01-11
    not_before: 2027-01-18
    not_after: 2027-02-12
    deadline: 2027-03-01
    only: {endoscopist: [dr-berg]}
    times: [{days: [mon, tue], from: "10:00", to: "14:30"}]
    extra: 15
    preparations: [{id: blood, name: Blodprøve, kind: test, due: 7}]
    done: [mrsa]
    state: open
"""  # noqa: E501 - lines as planners write them

SURGERY = """\
format: 1
clinic: {id: surgery, organisation: "999999999", timezone: Europe/Oslo}
resources:
  - id: room-7
    kind: room
    skills: [minor-surgery]
    hours: [{days: [mon], from: "08:00", to: "12:00"}]
"""

CALENDAR = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//example//EN\r
BEGIN:VEVENT\r
UID:morning\r
DTSTART;TZID=Europe/Oslo:20270105T080000\r
DTEND;TZID=Europe/Oslo:20270105T083000\r
RRULE:FREQ=WEEKLY;UNTIL=20270131T000000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""

FILES = {"gastro.yaml": GASTRO, "surgery.yaml": SURGERY, "dr-berg.ics": CALENDAR}


def write(folder: Path, **changed: str) -> Path:
    """Write the example (`gastro`, `surgery`, `calendar` may be given) and give its folder."""
    texts = {"gastro": "gastro.yaml", "surgery": "surgery.yaml", "calendar": "dr-berg.ics"}
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    for key, text in changed.items():
        (folder / texts[key]).write_text(text, "utf-8")
    return folder


def swapped(old: str, new: str) -> str:
    """Give the example with one passage exchanged."""
    assert GASTRO.count(old) == 1, f"{GASTRO.count(old)} times: {old}"
    return GASTRO.replace(old, new)


def line_of(text: str, passage: str) -> int:
    """Give the line on which a passage first stands."""
    return text[: text.index(passage)].count("\n") + 1


def contents(folder: Path, now: datetime | None = None, **changed: str) -> Contents:
    """Read the example."""
    return read(write(folder, **changed), now)


def problems(folder: Path, **changed: str) -> tuple[Problem, ...]:
    """Read the example, which must fail."""
    with pytest.raises(InvalidInput) as caught:
        contents(folder, **changed)
    return caught.value.problems

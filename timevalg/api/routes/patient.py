"""What patients, and those who act for them, can ask and do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query, Request, Response

from timevalg.api.schemas import patient as shapes
from timevalg.api.schemas.given import After as Cursor
from timevalg.api.schemas.given import Id as Path
from timevalg.api.surface import Key, MaybeKey, Surface, Version, ports_of, principal_of, tag
from timevalg.booking.mine import MOST
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of
from timevalg.letters.calendar_entry import MEDIA_TYPE
from timevalg.library.patient import PatientView
from timevalg.model.clinic import Clinic
from timevalg.model.principal import PERSONAL, Principal
from timevalg.model.task import Task
from timevalg.solver.picture import Picture

router = Surface(prefix="/v1/patient", tags=["patient"], roles=PERSONAL)

Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[Cursor, Query(description="`next` of the page before.")]


LETTER_TYPES = ("text/html", "text/plain")
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What browsers may load of a letter: the style that it brings, nothing else."""
WEIGHT = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")
"""How much a language is asked for; 0 = not at all."""
LOCATION = {"schema": {"type": "string", "format": "uri-reference"}}


class Asking:
    """The patient who asks, and the words in which they are answered."""

    def __init__(self, ports: Ports, who: Principal, language: str) -> None:
        self._seen: list[Picture] = []  # on what use cases planned
        self.view = PatientView(replace(ports, saw=self._seen.append), who)
        self.language = language

    def clinic(self, name: str) -> Clinic:
        """Give a clinic of the organisation, as the use case saw it."""
        known = self._seen or [picture_of(self.view.ports, self.view.principal)]
        return known[-1].index.organisation.clinic(name)

    def task(self, task: Task, response: Response) -> shapes.TaskOut:
        """Tell a task with its version."""
        tag(response, task.version)
        return shapes.TaskOut.of(task, self.clinic(task.clinic), self.language)


async def _asking(request: Request) -> Asking:
    ports, who = await ports_of(request), await principal_of(request)
    return Asking(ports, who, _language(request.headers.get("accept-language", "")))


Me = Annotated[Asking, Depends(_asking)]
Asked = Annotated[shapes.OffersAsked, Query()]


def _language(header: str) -> str:
    """Give the language asked for most that texts exist in, the first of several (RFC 9110)."""
    names = {"no": "nb", "nb": "nb", "nn": "nn", "se": "se", "en": "en"}
    weights = dict[str, float]()
    for wanted, _, weight in (part.partition(";") for part in header.lower().split(",")):
        if name := names.get(wanted.strip().partition("-")[0]):
            found = WEIGHT.fullmatch(weight.strip())
            weights[name] = max(weights.get(name, 0), float(found[1]) if found else 1)
    best = max(weights, key=weights.__getitem__, default="nb")
    return best if weights.get(best) else "nb"


@router.operation("GET", "/tasks", "list tasks")
def my_tasks(me: Me, after: After = "", limit: Limit = 50) -> shapes.TasksOut:
    """Give my choice tasks."""
    found = me.view.tasks((), after, limit)
    told = [shapes.TaskOut.of(t, me.clinic(t.clinic), me.language) for t in found]
    return shapes.TasksOut(tasks=told, next=told[-1].id if len(told) == limit else "")


@router.operation("GET", "/tasks/{task}", "read")
def my_task(me: Me, task: Path, response: Response) -> shapes.TaskOut:
    """Give one of my choice tasks."""
    return me.task(me.view.task(task), response)


@router.operation("GET", "/tasks/{task}/offers", "list offers")
def my_offers(me: Me, task: Path, asked: Asked) -> shapes.OffersOut:
    """Give the times that I can choose from now: the best, or page by page in order of time."""
    found = me.view.offers(task, asked.limit, asked.wishes(), asked.since())
    return shapes.OffersOut.of(found, me.clinic)


@router.operation("POST", "/tasks/{task}/ask", "ask", books=True, changes=True)
def ask_for_a_time(
    me: Me, task: Path, key: Key, version: Version, response: Response
) -> shapes.TaskOut:
    """Ask for a time, where the patient asks first."""
    answer = me.view.ask(task, version, idempotency_key=key)
    return me.task(answer.task or me.view.task(task), response)


@router.operation(
    "POST",
    "/tasks/{task}/holds",
    "hold",
    books=True,
    unversioned="makes a new one, checked against what is there at that moment; the task stays",
    status=201,
)
def hold_a_time(me: Me, task: Path, choice: shapes.ChoiceIn, key: Key) -> shapes.HoldOut:
    """Keep a time for some minutes while I confirm; an earlier hold is given up for it."""
    held = me.view.hold(task, choice.start, choice.pool, idempotency_key=key)
    return shapes.HoldOut.of(held, me.clinic(held.clinic))


@router.operation("POST", "/tasks/{task}/choice", "choose", books=True, changes=True, status=201)
def choose_a_time(
    me: Me,
    task: Path,
    choice: shapes.ChoiceIn,
    key: Key,
    version: Version,
    response: Response,
) -> shapes.AppointmentOut:
    """Choose a time, held or not."""
    visit = me.view.choose(task, choice.start, choice.pool, version, idempotency_key=key)
    tag(response, visit.version)
    return shapes.AppointmentOut.of(visit, me.clinic(visit.clinic), me.language)


@router.operation("POST", "/tasks/{task}/none-suits", "none suits", changes=True)
def none_suits(
    me: Me,
    task: Path,
    given: shapes.AvailabilityIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.TaskOut:
    """Say that no time suits, and when I can."""
    return me.task(
        me.view.none_suits(task, given.when_i_can, version, idempotency_key=key), response
    )


@router.operation("POST", "/tasks/{task}/decline", "decline", changes=True)
def decline(
    me: Me, task: Path, given: shapes.ReasonIn, key: MaybeKey, version: Version, response: Response
) -> shapes.TaskOut:
    """Say that the visit is no longer needed."""
    return me.task(me.view.decline(task, given.reason, version, idempotency_key=key), response)


@router.operation("GET", "/appointments", "list appointments")
def my_appointments(me: Me, after: After = "", limit: Limit = 50) -> shapes.AppointmentsOut:
    """Give my visits, past ones too."""
    found = me.view.appointments(after, limit)
    told = [shapes.AppointmentOut.of(v, me.clinic(v.clinic), me.language) for v in found]
    return shapes.AppointmentsOut(appointments=told, next=told[-1].id if len(told) == limit else "")


@router.operation("GET", "/appointments/{appointment}", "read")
def my_appointment(me: Me, appointment: Path, response: Response) -> shapes.AppointmentOut:
    """Give one of my visits."""
    visit = me.view.appointment(appointment)
    tag(response, visit.version)
    return shapes.AppointmentOut.of(visit, me.clinic(visit.clinic), me.language)


@router.operation("GET", "/appointments/{appointment}/offers", "list offers to change")
def offers_to_change(me: Me, appointment: Path, asked: Asked) -> shapes.OffersOut:
    """Give the times that I can move a visit to: the best, or page by page in order of time."""
    found = me.view.offers_to_change(appointment, asked.limit, asked.wishes(), asked.since())
    return shapes.OffersOut.of(found, me.clinic)


@router.operation("POST", "/appointments/{appointment}/change", "change", books=True, changes=True)
def change_a_time(
    me: Me,
    appointment: Path,
    choice: shapes.ChoiceIn,
    key: Key,
    version: Version,
    response: Response,
) -> shapes.AppointmentOut:
    """Move a visit; the old time is given up if and only if the new one is mine."""
    visit = me.view.change(appointment, choice.start, choice.pool, version, idempotency_key=key)
    tag(response, visit.version)
    return shapes.AppointmentOut.of(visit, me.clinic(visit.clinic), me.language)


@router.operation("POST", "/appointments/{appointment}/cancel", "cancel", changes=True)
def cancel_a_visit(
    me: Me,
    appointment: Path,
    given: shapes.ReasonIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.AppointmentOut:
    """Cancel a visit; its time is free at once."""
    visit = me.view.cancel(appointment, given.reason, version, idempotency_key=key)
    tag(response, visit.version)
    return shapes.AppointmentOut.of(visit, me.clinic(visit.clinic), me.language)


@router.operation("POST", "/appointments/{appointment}/acknowledge", "acknowledge", changes=True)
def i_am_coming(
    me: Me, appointment: Path, key: MaybeKey, version: Version, response: Response
) -> shapes.AppointmentOut:
    """Say "I am coming", to the time that I read; twice does no harm."""
    visit = me.view.acknowledge(appointment, version, idempotency_key=key)
    tag(response, visit.version)
    return shapes.AppointmentOut.of(visit, me.clinic(visit.clinic), me.language)


@router.operation("GET", "/appointments/{appointment}/preparations", "read")
def my_preparations(me: Me, appointment: Path) -> shapes.PreparationsOut:
    """Give what to do before a visit, by date."""
    found = me.view.preparations(appointment)
    told = [shapes.PreparationOut.of(p, me.language) for p in found]
    return shapes.PreparationsOut(preparations=told)


@router.operation(
    "POST", "/preparations/{preparation}/answer", "complete preparation", changes=True
)
def answer_a_preparation(
    me: Me,
    preparation: Path,
    given: shapes.AnswerIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.PreparationOut:
    """Say that a preparation is done; its `version` is its ETag."""
    done = me.view.complete(preparation, given.answer, version, idempotency_key=key)
    tag(response, done.version)
    return shapes.PreparationOut.of(done, me.language)


@router.operation("GET", "/appointments/{appointment}/letters", "read")
def my_letters(me: Me, appointment: Path) -> shapes.LettersOut:
    """Give the letters about a visit."""
    return shapes.LettersOut(letters=[shapes.LetterOut.of(x) for x in me.view.letters(appointment)])


@router.operation("GET", "/letters", "list letters")
def all_my_letters(me: Me, after: After = "", limit: Limit = 50) -> shapes.LetterPage:
    """Give my letters, without their texts."""
    found = me.view.my_letters(after, limit)
    told = [shapes.LetterSummary.of(letter) for letter in found]
    return shapes.LetterPage(letters=told, next=told[-1].id if len(told) == limit else "")


@router.operation(
    "GET",
    "/letters/{letter}",
    "read",
    response_class=Response,
    responses={200: {"content": {t: {"schema": {"type": "string"}} for t in LETTER_TYPES}}},
)
def my_letter(me: Me, letter: Path, request: Request) -> Response:
    """Give a letter as it was written: HTML, or plain text where `Accept` asks for that."""
    found = me.view.letter(letter)
    html, plain = LETTER_TYPES
    accept = request.headers.get("accept", "")
    media = plain if plain in accept and html not in accept else html
    headers = {
        "Content-Language": found.language,
        "Vary": "Accept",
        "Content-Security-Policy": LETTER_POLICY,
    }
    return Response(found.html if media == html else found.text, 200, headers, media)


@router.operation(
    "GET",
    "/appointments/{appointment}/calendar.ics",
    "read",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def my_calendar_entry(me: Me, appointment: Path) -> Response:
    """Give a visit for my own calendar: when and where, not why."""
    entry = me.view.calendar_entry(appointment, me.language)
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return Response(entry, 200, headers, MEDIA_TYPE)


@router.operation(
    "GET",
    "/tasks/{task}/link",
    "read",
    status=303,
    response_class=Response,
    responses={303: {"description": "See the task", "headers": {"Location": LOCATION}}},
)
def link_to_a_task(me: Me, task: Path) -> Response:
    """Lead to a task, from a letter or message; who has not signed on is led there first."""
    found = me.view.task(task)
    return Response(
        status_code=303, headers={"Location": f"/v1/patient/tasks/{quote(found.id, safe='')}"}
    )


@router.operation("GET", "/access-log", "read access log")
def who_has_looked(
    me: Me, after: After = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 50
) -> shapes.AccessLogOut:
    """Tell who has looked at my data or changed it, newest first."""
    found = me.view.access_log(limit, after)
    told = [shapes.AccessOut.of(entry) for entry in found]
    return shapes.AccessLogOut(entries=told, next=found[-1].id if len(found) == limit else "")

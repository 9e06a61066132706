"""Events out: who subscribes, what the feed has for them, and its delivery in order."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.effect import Effect, Way, put_out
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.standing import may
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import CursorLost, InvalidInput, NotFound, StaleVersion
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Event
from timevalg.model.states import LetterState

PAGE = 200
"""Events passed on in one transaction."""
SETTINGS = "TIMEVALG_"
"""How names begin under which workers find no key of signatures."""
_PLAIN = re.compile(r"[!-~]+")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
UNSETTLED = frozenset({LetterState.PENDING, LetterState.SENDING})


@use_case("subscribe", keyed=False)
def subscribe(
    ports: Ports,
    principal: Principal,
    url: str,
    secret: str,
    events: Sequence[str] = (),
    *,
    deduplicates: bool = True,
    after: str | None = None,
) -> Subscription:
    """Have events sent to an address, from now on or from after a cursor of the feed.

    Asked again for the same events at the same address it is the same subscription.

    Parameters
    ----------
    secret : str
        The name under which workers find the key of the signatures.
    events : sequence of str
        Beginnings of the types wanted; empty = all of the clinics that are the principal's.
    after : str or None
        The cursor of an event read; empty = from the beginning, None = from now on.

    Raises
    ------
    InvalidInput
        If the address is neither https nor on this machine, or there is no name of a secret.
    CursorLost
        If there is no such event.
    """
    _require_sendable(url)
    if not secret or secret.startswith(SETTINGS):
        why = f"say under which name workers find the key; none that begins with {SETTINGS}"
        raise InvalidInput.single("secret", why)

    def body(act: Act) -> Subscription:
        place = act.unit.events.last() if after is None else ""
        if after:
            found = act.unit.events.place_of(after)
            if found is None:
                raise CursorLost(after)
            place = found
        subscription = Subscription(
            id=ports.keys.new("subscription"),
            organisation=act.unit.organisation,
            url=url,
            secret=secret,
            events=tuple(events),
            clinics=tuple(sorted(principal.clinics or ())),
            deduplicates=deduplicates,
            cursor=place,
            holder=principal.id if principal.by_rights else None,
        )
        same = _terms(subscription)
        for known in act.unit.subscriptions.find(url=url, ended_at=None):
            if _terms(known) == same:
                return known
        act.unit.subscriptions.add(subscription)
        act.audit("subscription", subscription.id)
        return subscription

    return run(ports, principal, "subscribe", body)


def _require_sendable(url: str) -> None:
    """Refuse an address that events cannot be sent to.

    Raises
    ------
    InvalidInput
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput.single("url", f"is no address: {error}") from error
    host = parts.hostname
    if host is None or port == 0 or parts.username or parts.password or not _PLAIN.fullmatch(url):
        raise InvalidInput.single("url", f"{parts.scheme}://{parts.netloc} names no plain host")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOCAL):
        raise InvalidInput.single("url", "events leave this machine by https:// only")


@use_case("list subscriptions", keyed=False)
def list_subscriptions(ports: Ports, principal: Principal) -> list[Subscription]:
    """Give the receivers that get events now, those all of whose clinics are the principal's."""

    def body(act: Act) -> list[Subscription]:
        found = act.unit.subscriptions.find(ended_at=None)
        mine = [s for s in found if _is_theirs(principal, s)]
        for subscription in mine:
            act.audit("subscription", subscription.id)
        return mine

    return run(ports, principal, "list subscriptions", body)


@use_case("end subscription", keyed=False)
def end_subscription(ports: Ports, principal: Principal, key: str) -> Subscription:
    """Send no more to it; what has not left is stopped."""

    def body(act: Act) -> Subscription:
        subscription = _subscription(act, key)
        act.audit("subscription", key)
        if subscription.ended_at is not None:
            return subscription
        return act.unit.subscriptions.save(replace(subscription, ended_at=act.unit.now()))

    return run(ports, principal, "end subscription", body)


def unread(ports: Ports, organisation: str) -> list[tuple[str, str]]:
    """Give the subscriptions for which there may be something new, and how far each has read."""

    def body(unit: UnitOfWork) -> list[tuple[str, str]]:
        found = unit.subscriptions.find(ended_at=None)
        last = unit.events.last() if found else ""
        return [(s.id, s.cursor) for s in found if s.cursor != last]

    return ports.store.run(organisation, body, write=False)


@use_case("pass on events", keyed=False)
def pass_on_events(ports: Ports, principal: Principal, key: str) -> int:
    """Write a delivery for each event of the feed that a receiver wants; gives how many.

    The place in the feed is saved with them: each event is passed on once, whoever does it. It ends
    with the right of whoever subscribed.
    """
    scope_of("pass on events", principal)

    def body(act: Act) -> tuple[int, int]:
        subscription = _subscription(act, key)
        if subscription.ended_at is not None:
            return 0, 0
        if not _stands(act.unit, subscription):
            act.audit("subscription", key)
            act.unit.subscriptions.save(replace(subscription, ended_at=act.unit.now()))
            return 0, 0
        page = act.unit.events.read(subscription.cursor, PAGE)
        wanted = [e for e in page if subscription.wants(e.type, e.clinic)]
        if not page:
            return 0, 0
        # The save comes first: of two who pass on the same page one is refused here.
        act.unit.subscriptions.save(
            replace(
                subscription,
                cursor=page[-1].cursor,
                number=subscription.number + len(wanted),
            )
        )
        deliveries = [
            _delivery(act, subscription, event, subscription.number + n)
            for n, event in enumerate(wanted, start=1)
        ]
        act.unit.lock([_stream(delivery) for delivery in deliveries])
        act.unit.deliveries.add_all(deliveries)
        for delivery in {d.stream: d for d in reversed(deliveries)}.values():
            _start_next(act, delivery)
        return len(wanted), len(page)

    passed = 0
    while True:
        try:
            wanted, read = run(ports, principal, "pass on events", body)
        except StaleVersion:
            return passed  # another worker is at it
        passed += wanted
        if read < PAGE:
            return passed


@use_case("deliver", keyed=False)
def deliver(ports: Ports, principal: Principal, key: str) -> Delivery:
    """Send one event to its receiver; the next of its stream follows when it is settled."""
    return put_out(DELIVERY, ports, principal, key)


def stop_delivery(act: Act, key: str) -> None:
    """Give up what an operator has dropped, so that the rest of its stream goes on."""
    delivery = act.unit.deliveries.get(key)
    if delivery.state in UNSETTLED:
        _note(act, act.unit.deliveries.save(replace(delivery, state=LetterState.STOPPED)), delivery)


def _subscription(act: Act, key: str) -> Subscription:
    """Give a subscription all of whose clinics are the principal's.

    Raises
    ------
    NotFound
    """
    subscription = act.unit.subscriptions.get(key)
    if not _is_theirs(act.principal, subscription):
        raise NotFound("subscription", key)
    return subscription


def _terms(subscription: Subscription) -> tuple[object, ...]:
    return subscription.events, subscription.clinics, subscription.holder


def _stands(unit: UnitOfWork, subscription: Subscription) -> bool:
    """Tell whether whoever subscribed still has the right to it; None: somebody vouched."""
    if subscription.holder is None:
        return True
    clinics = frozenset(subscription.clinics) or None
    return may(unit, subscription.holder, "subscribe", clinics)


def _is_theirs(principal: Principal, subscription: Subscription) -> bool:
    mine, whose = principal.clinics, subscription.clinics
    return mine is None or (bool(whose) and mine.issuperset(whose))


def _delivery(act: Act, to: Subscription, event: Event, number: int) -> Delivery:
    return Delivery(
        id=act.ports.keys.new("delivery"),
        organisation=to.organisation,
        clinic=event.clinic,
        subscription=to.id,
        event=event.id,
        stream=event.appointment or event.task or event.key,
        number=number,
        body=_body(event),
        created_at=act.unit.now(),
    )


def _body(event: Event) -> str:
    facts = {
        "id": event.id,
        "type": event.type,
        "time": event.time.isoformat(),
        "organisation": event.organisation,
        "clinic": event.clinic,
        "subject": event.subject,
        "key": event.key,
        "version": event.version,
        "by": event.by,
        "channel": event.channel,
        "reason": event.reason,
        "origin": event.origin,
        "task": event.task,
        "appointment": event.appointment,
        "refs": dict(event.refs),
        "old": event.old,
        "new": event.new,
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)


def _stream(delivery: Delivery) -> str:
    return f"deliveries:{delivery.subscription}:{delivery.stream}"


def _start_next(act: Act, delivery: Delivery) -> None:
    """Write the work of the first of a stream that has not been settled; under its lock."""
    first = act.unit.deliveries.find(
        order="number",
        limit=1,
        subscription=delivery.subscription,
        stream=delivery.stream,
        state=UNSETTLED,
    )
    for value in first:
        act.work("deliver", value.id, value.clinic, act.unit.now(), "send")


def _way(act: Act, delivery: Delivery) -> Way[Delivery] | None:
    to = act.unit.subscriptions.get(delivery.subscription)
    if to.ended_at is not None:
        return None
    return Way(lambda value: act.ports.hooks.send(to, value), to.deduplicates)


def _is_wanted(act: Act, delivery: Delivery) -> bool:
    to = act.unit.subscriptions.get(delivery.subscription)
    return to.ended_at is None and _stands(act.unit, to)


def _note(act: Act, delivery: Delivery, before: Delivery) -> None:
    if delivery.state not in UNSETTLED:
        act.unit.lock([_stream(delivery)])
        _start_next(act, delivery)


def _report(act: Act, delivery: Delivery, kind: CaseKind, reason: str) -> None:
    act.case(kind, delivery.clinic, reason, ref=delivery.event)


DELIVERY = Effect(
    verb="deliver",
    kind="delivery",
    records=lambda unit: unit.deliveries,
    way=_way,
    is_wanted=_is_wanted,
    note=_note,
    report=_report,
)

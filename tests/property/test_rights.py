"""However rights are given on, nobody ever has more than the right at the root of theirs."""

import functools
from contextlib import suppress
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.proving import Here
from tests.world import MONDAY, ORGANISATION, TestKeys
from timevalg.booking.publish import publish
from timevalg.booking.standing import clinics_of, covers
from timevalg.channels.sink import Sink
from timevalg.clinic import from_sources
from timevalg.library import Timevalg
from timevalg.model.contents import Source
from timevalg.model.errors import TimevalgError
from timevalg.model.principal import RoleName
from timevalg.model.right import NOWHERE, within
from timevalg.store import Memory, SetClock
from timevalg.wiring import ports_on

HOLDERS = [f"hpr:{n}" for n in range(5)]
CLINICS, UNITS = ["a", "b", "c"], ["u", "v"]
ROLES = [RoleName.PLANNER] * 3 + [RoleName.SECRETARY, RoleName.CLINICIAN, RoleName.SYSTEM]
HOURS = st.sampled_from([None] * 8 + list(range(-2, 7)))
PLACES = [("clinic", "a"), ("clinic", "b"), ("unit", "u")] * 2 + [("clinic", "c"), ("unit", "v")]
STEPS = st.fixed_dictionaries(
    {
        "what": st.sampled_from(["give"] * 6 + ["revoke", "set", "wait"]),
        "holder": st.sampled_from(HOLDERS[1:]),
        "role": st.sampled_from(ROLES),
        "place": st.sampled_from([*PLACES, None]),
        "starts": HOURS,
        "ends": HOURS,
        "may": st.sampled_from([True, True, True, False]),
        "number": st.integers(0, 7),
        "clinics": st.sets(st.sampled_from(CLINICS)),
    }
)


@functools.cache
def _published():
    """A clinic of each name, with nothing in it."""
    about = {"organisation": ORGANISATION, "timezone": "Europe/Oslo"}
    empty = {"resources": [], "services": [], "pools": []}
    return from_sources(
        {c: Source({"format": 1, "clinic": {"id": c, **about}, **empty}, {}) for c in CLINICS}
    )


@given(st.lists(STEPS, max_size=20), HOURS)
def test_no_chain_gives_more_than_its_root(steps, ends):
    clock = SetClock(MONDAY)
    store = Memory(clock)
    valg = Timevalg(ports_on(store, Sink(None), TestKeys(), prover=Here()), ORGANISATION)
    operator = valg.operator()
    publish(valg.ports, valg.planner("anna").principal, _published())
    for unit in UNITS:
        operator.set_unit(unit, unit, CLINICS[:2])
    last = None if ends is None or ends < 1 else MONDAY + timedelta(hours=ends)
    root = operator.give(HOLDERS[0], "planner", unit="u", ends=last, may_delegate=True)
    given_ = [root]
    for step in steps:
        with suppress(TimevalgError):
            _do(valg, operator, clock, given_, step)
        _check(store, root)


def _do(valg, operator, clock, given_, step):
    number = step["number"]
    if step["what"] == "give":
        giver = given_[number % len(given_)]
        more = {} if step["place"] is None else {step["place"][0]: step["place"][1]}
        for name in ("starts", "ends"):
            if step[name] is not None:
                more[name] = MONDAY + timedelta(hours=step[name])
        own = valg.rights(giver.holder, giver.role)
        more["may_delegate"] = step["may"]
        given_.append(own.give(step["holder"], step["role"], giver=giver, **more))
    elif step["what"] == "revoke":
        operator.revoke(given_[-1 - number % len(given_)])  # the root's seldom
    elif step["what"] == "set":
        operator.set_unit(UNITS[number % 2], "", step["clinics"])
    else:
        clock.advance(timedelta(hours=1))


def _check(store, root):
    def look(unit):
        whole = clinics_of(unit, root.holder, root.role)
        for holder in HOLDERS[1:]:
            for role in RoleName:
                held = clinics_of(unit, holder, role)
                assert within(held, whole), (holder, role)
                assert held == NOWHERE or covers(root.role, role)
        stands = root.stands(unit.now()) and unit.rights.get(root.id).revoked_at is None
        assert stands or whole == NOWHERE

    store.run(ORGANISATION, look, write=False)

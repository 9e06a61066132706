"""However rights are given on, nobody ever has more than the right at the root of theirs."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.proving import Here
from tests.world import MONDAY, ORGANISATION, TestKeys
from timevalg.booking.standing import clinics_of, covers
from timevalg.channels.sink import Sink
from timevalg.library import Timevalg
from timevalg.model.errors import TimevalgError
from timevalg.model.principal import RoleName
from timevalg.model.right import NOWHERE, within
from timevalg.store import Memory, SetClock
from timevalg.wiring import ports_on

HOLDERS = [f"hpr:{n}" for n in range(5)]
CLINICS, UNITS = ["a", "b", "c"], ["u", "v"]
ROLES = [RoleName.PLANNER, RoleName.SECRETARY, RoleName.CLINICIAN, RoleName.SYSTEM]
HOURS = st.none() | st.integers(-2, 6)
WHERE = st.none() | st.sampled_from([("unit", u) for u in UNITS] + [("clinic", c) for c in CLINICS])
GIVE = st.tuples(
    st.just("give"),
    st.sampled_from(HOLDERS),
    st.sampled_from(ROLES),
    WHERE,
    HOURS,
    HOURS,
    st.booleans(),
    st.integers(0, 20),
)
REVOKE = st.tuples(st.just("revoke"), st.integers(0, 20))
SET = st.tuples(st.just("set"), st.sampled_from(UNITS), st.sets(st.sampled_from(CLINICS)))
WAIT = st.tuples(st.just("wait"), st.integers(1, 3))


@given(st.lists(GIVE | GIVE | REVOKE | SET | WAIT, max_size=25))
def test_no_chain_gives_more_than_its_root(steps):
    clock = SetClock(MONDAY)
    store = Memory(clock)
    valg = Timevalg(ports_on(store, Sink(None), TestKeys(), prover=Here()), ORGANISATION)
    operator = valg.operator()
    for unit in UNITS:
        operator.set_unit(unit, unit, CLINICS[:2])
    root = operator.give(
        HOLDERS[0], "planner", unit="u", ends=MONDAY + timedelta(hours=4), may_delegate=True
    )
    given_ = [root]
    for step in steps:
        with suppress(TimevalgError):
            _do(valg, operator, clock, given_, *step)
        _check(store, root)


def _do(valg, operator, clock, given_, what, *how):
    if what == "give":
        holder, role, where, starts, ends, may, number = how
        giver = given_[number % len(given_)]
        more = {} if where is None else {where[0]: where[1]}
        for name, hours in (("starts", starts), ("ends", ends)):
            if hours is not None:
                more[name] = MONDAY + timedelta(hours=hours)
        own = valg.rights(giver.holder, giver.role)
        given_.append(own.give(holder, role, giver=giver, may_delegate=may, **more))
    elif what == "revoke":
        operator.revoke(given_[how[0] % len(given_)])
    elif what == "set":
        operator.set_unit(how[0], how[0], how[1])
    else:
        clock.advance(timedelta(hours=how[0]))


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

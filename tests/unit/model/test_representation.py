"""Who may act for whom, by age, address and power of attorney."""

from datetime import date, datetime, timedelta

import pytest

from tests.world import utc
from timevalg.model.representation import (
    Basis,
    Representation,
    age_on,
    basis_of,
    is_withheld_by_age,
    may_act_alone,
)

TODAY = date(2027, 1, 4)
MUM, DAD, OTHER = "person:mum", "person:dad", "person:other"
AT: datetime = utc(2027, 1, 1)


def bond(who, basis=Basis.PARENT, **more):
    fields = {"starts": date(2020, 1, 1), "registered_at": AT, "by": "x", **more}
    return Representation("r", "9", "p-1", who, basis, **fields)


def born(years, days=0):
    """The birth of somebody who turns so many years old in so many days."""
    day = TODAY + timedelta(days=days)
    return day.replace(year=day.year - years)


HOME = (bond(MUM, shares_address=True), bond(DAD))


@pytest.mark.parametrize(
    ("who", "birth", "bonds", "basis"),
    [
        (MUM, born(0), HOME, Basis.PARENT),
        (DAD, born(5), HOME, Basis.PARENT),  # one who shares the address is enough for both
        (MUM, born(16, 1), HOME, Basis.PARENT),  # the day before
        (MUM, born(16), HOME, None),
        (MUM, None, HOME, None),  # nobody knows how old
        (OTHER, born(5), HOME, None),
        (MUM, born(5), (bond(MUM), bond(DAD)), None),  # neither lives there
        (MUM, born(5), (bond(MUM, shares_address=True, ends=date(2027, 1, 3)),), None),
        (MUM, born(5), (bond(MUM, shares_address=True, ends=TODAY),), Basis.PARENT),
        (MUM, born(5), (bond(MUM, shares_address=True, starts=date(2027, 1, 5)),), None),
        (OTHER, born(5), (bond(OTHER, Basis.GUARDIAN),), Basis.GUARDIAN),
        (OTHER, born(16), (bond(OTHER, Basis.GUARDIAN),), None),
        (OTHER, born(70), (bond(OTHER, Basis.ATTORNEY),), Basis.ATTORNEY),
        (OTHER, None, (bond(OTHER, Basis.ATTORNEY),), Basis.ATTORNEY),
        (OTHER, born(70), (bond(OTHER, Basis.ATTORNEY, areas=("prescriptions",)),), None),
        (
            OTHER,
            born(70),
            (bond(OTHER, Basis.ATTORNEY, areas=("prescriptions", "appointments")),),
            Basis.ATTORNEY,
        ),
    ],
)
def test_what_makes_a_representative(who, birth, bonds, basis):
    assert basis_of(who, birth, False, bonds, TODAY) is basis


def test_the_parent_elsewhere_learns_nothing_of_a_child_at_a_confidential_address():
    assert basis_of(MUM, born(5), True, HOME, TODAY) is Basis.PARENT
    assert basis_of(DAD, born(5), True, HOME, TODAY) is None


@pytest.mark.parametrize(
    ("birth", "consents", "may"),
    [
        (born(16), False, True),
        (born(16, 1), False, False),
        (born(16, 1), True, True),
        (born(13), True, True),
        (born(13, 1), True, False),
        (None, False, True),
    ],
)
def test_from_which_age_on_one_acts_alone(birth, consents, may):
    assert may_act_alone(birth, [bond(MUM, consents=consents)], TODAY) is may


@pytest.mark.parametrize(
    ("birth", "basis", "withheld"),
    [
        (born(12, 1), Basis.PARENT, False),
        (born(12), Basis.PARENT, True),
        (born(16, 1), Basis.GUARDIAN, True),
        (born(14), None, True),
        (born(14), Basis.ATTORNEY, False),
        (born(16), Basis.PARENT, False),
    ],
)
def test_between_which_ages_visits_are_withheld(birth, basis, withheld):
    assert is_withheld_by_age(basis, birth, TODAY) is withheld


def test_who_is_born_on_a_leap_day_is_of_age_on_the_first_of_march():
    assert age_on(date(2012, 2, 29), date(2028, 2, 28)) == 15
    assert age_on(date(2012, 2, 29), date(2028, 2, 29)) == 16
    assert age_on(date(2012, 2, 29), date(2027, 2, 28)) == 14
    assert age_on(date(2012, 2, 29), date(2027, 3, 1)) == 15

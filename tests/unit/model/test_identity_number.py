"""Identity numbers: the rules of their digits, old and new, real and made for tests."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timevalg.model.errors import InvalidInput
from timevalg.model.identity_number import IdentityNumber, Sort, is_identity_number


def ending(nine, first_may_leave=(0,)):
    """Nine digits with control digits, if there are any by the rule."""
    for first in range(10):
        digits = f"{nine}{first}"
        left = sum(w * int(d) for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=True))
        for second in range(10):
            rest = zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), f"{digits}{second}", strict=True)
            if left % 11 in first_may_leave and sum(w * int(d) for w, d in rest) % 11 == 0:
                return f"{digits}{second}"
    return None


@pytest.mark.parametrize(
    ("text", "sort", "synthetic", "birth"),
    [
        ("02013299997", Sort.NATIONAL, False, date(2032, 1, 2)),
        ("301082 99920", Sort.NATIONAL, False, date(1982, 10, 30)),
        ("30108299939", Sort.NATIONAL, False, None),  # holds by the rule of 2032 alone
        ("16822548834", Sort.NATIONAL, True, date(1925, 2, 16)),
        (ending("410190123"), Sort.D, False, date(1990, 1, 1)),
        (ending("014190123"), Sort.HELP, False, date(1990, 1, 1)),
        (ending("418190125"), Sort.D, True, date(1990, 1, 1)),
    ],
)
def test_what_is_one(text, sort, synthetic, birth):
    found = IdentityNumber.read(text)
    assert (found.sort, found.synthetic, found.birth) == (sort, synthetic, birth)


@pytest.mark.parametrize(
    "text",
    ["", "0201329999", "020132999977", "0201329999x", "٠٢٠١٣٢٩٩٩٩٧", "00000000000"]
    + [ending(n) or "1" for n in ("300290123", "001390123", "320190123", "720190123", "019390123")],
)
def test_what_is_none(text):
    with pytest.raises(InvalidInput) as error:
        IdentityNumber.read(text)
    assert not text or text not in str(error.value)


@given(
    st.sampled_from(["02013299997", "30108299920", "16822548834"]), st.integers(0, 10), st.data()
)
def test_one_wrong_digit_is_always_found_by_the_second_control_digit(number, place, data):
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not is_identity_number(number[:place] + other + number[place + 1 :])


def test_a_number_is_not_shown():
    assert "02013299997" not in repr(IdentityNumber.read("02013299997"))

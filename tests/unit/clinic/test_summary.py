"""The numbers that `timevalg check` shows."""

from pathlib import Path

from tests.unit.clinic import page
from timevalg.clinic import summary


def test_the_example(tmp_path: Path):
    gastro, surgery = summary(page.contents(tmp_path))
    assert (gastro.clinic, gastro.resources, gastro.services, gastro.pools) == ("gastro", 14, 1, 1)
    assert (gastro.bookings, gastro.tasks) == (1, 1)
    # dr-berg: 3 days of 7.5 h, 6.5 h in 2 of 4 weeks, 4 h; four others: the clinic's 5 x 8 h
    assert gastro.bookable_hours_a_week == 3 * 7.5 + 6.5 / 2 + 4 + 4 * 40
    assert (surgery.resources, surgery.bookable_hours_a_week) == (1, 0)


def test_rosters_of_different_lengths_and_hours_that_overlap(tmp_path: Path):
    start = page.GASTRO.index("      - {days: [mon, tue, thu]")
    end = page.GASTRO.index("    away:")
    hours = """\
      - {days: [mon], from: "08:00", to: "10:00", weeks: [1], of: 2, since: 2027-01-04}
      - {days: [mon], from: "09:00", to: "11:00", weeks: [1], of: 3, since: 2027-01-04}
"""
    text = page.GASTRO[:start] + hours + page.GASTRO[end:]
    gastro = summary(page.contents(tmp_path, gastro=text))[0]
    # of six weeks: 3 h in one (1 and 1), 2 h in two (1 of 2), 2 h in one (1 of 3)
    assert gastro.bookable_hours_a_week == round((3 + 2 * 2 + 2) / 6, 2) + 4 * 40

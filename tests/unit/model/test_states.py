"""The tables of legal moves: data, drawn in the README, with no way around them."""

import re
from itertools import product
from pathlib import Path

import pytest

from timevalg.model.errors import IllegalMove
from timevalg.model.states import (
    LIVE,
    TABLES,
    TASK_MOVES,
    AppointmentState,
    LetterState,
    PreparationState,
    TaskState,
    WorkState,
    target,
    verbs,
)

STATES = {
    "task": TaskState,
    "appointment": AppointmentState,
    "preparation": PreparationState,
    "letter": LetterState,
    "delivery": LetterState,
    "work": WorkState,
}
README = Path(__file__).parents[3] / "README.md"


@pytest.mark.parametrize("kind", TABLES)
def test_every_state_named_in_a_table_exists(kind):
    known = {str(s) for s in STATES[kind]}
    for move in TABLES[kind]:
        assert move.sources <= known
        assert move.target in known


@pytest.mark.parametrize("kind", TABLES)
def test_a_verb_leads_to_one_state_from_each_state(kind):
    pairs = [(s, m.verb) for m in TABLES[kind] for s in m.sources]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("kind", TABLES)
def test_what_is_not_in_the_table_is_refused_by_name(kind):
    legal = {(s, m.verb) for m in TABLES[kind] for s in m.sources}
    all_verbs = {m.verb for m in TABLES[kind]}
    for state, verb in product(map(str, STATES[kind]), all_verbs):
        if (state, verb) in legal:
            assert target(kind, "x", state, verb) in {str(s) for s in STATES[kind]}
        else:
            with pytest.raises(IllegalMove, match=f"{kind} x is {state}: '{verb}'"):
                target(kind, "x", state, verb)


def test_the_moves_of_the_design():
    drawn = {
        "draft": {"scheduled", "withdrawn"},
        "scheduled": {"open", "withdrawn"},
        "open": {"chosen", "overdue", "none-suits", "declined", "with-staff", "withdrawn"},
        "overdue": {"chosen", "assigned", "with-staff", "none-suits", "withdrawn"},
        "none-suits": {"with-staff", "withdrawn"},
        "with-staff": {"chosen", "open", "assigned", "withdrawn"},
        "chosen": {"confirmed", "with-staff", "open", "overdue"},
        "assigned": {"confirmed", "with-staff"},
        "confirmed": {"with-staff"},
        "declined": {"with-staff"},
        "withdrawn": set(),
    }
    for state in TaskState:
        assert {target("task", "x", state, v) for v in verbs("task", state)} == drawn[state], state


def test_every_live_state_can_be_withdrawn():
    for state in LIVE:
        assert target("task", "x", state, "withdraw") == "withdrawn"


def test_the_diagram_in_the_readme_is_the_table():
    text = README.read_text(encoding="utf-8")
    arrows = re.findall(r"^ +(\w+) --> (\w+) : (.+)$", text, re.MULTILINE)
    drawn = {(a.replace("_", "-"), b.replace("_", "-"), verb) for a, b, verb in arrows}
    table = {(s, m.target, m.verb) for m in TASK_MOVES for s in m.sources}
    assert drawn == table

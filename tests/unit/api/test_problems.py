"""Every error of the tree has its problem."""

from __future__ import annotations

from timevalg.api.problems import KINDS, OTHERS, kind_of
from timevalg.model import errors


def classes(root):
    for child in root.__subclasses__():
        if child.__module__.startswith("timevalg"):
            yield child
            yield from classes(child)


def test_every_error_of_the_tree_has_a_problem():
    inner = {errors.LeaseLost, errors.NotYet, errors.NotDelivered}  # between workers
    told = set(classes(errors.TimevalgError)) - inner
    assert errors.TimeTaken in told
    for kind in told:
        assert kind_of(kind.__new__(kind)).status >= 400, kind


def test_types_are_never_used_twice():
    names = [k.name for k in (*KINDS.values(), *OTHERS.values())]
    assert len(names) == len(set(names))

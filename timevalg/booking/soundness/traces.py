"""What happened is told, and what is to be done is written down."""

from __future__ import annotations

from collections.abc import Iterator

from timevalg.booking.soundness.chart import Chart
from timevalg.model.states import LetterState, TaskState, WorkState

_FALLS_DUE = frozenset({TaskState.SCHEDULED, TaskState.OPEN, TaskState.OVERDUE})
_RESTORE = "rows or events are missing, as after a partial restore: restore from one backup"


def the_feed_ends_where_things_are(chart: Chart) -> Iterator[tuple[str, str]]:
    """The last event of each task and appointment tells its state, and no version to come."""
    for subject, things in (("task", chart.tasks), ("appointment", chart.appointments)):
        for key, thing in things.items():
            version, state = chart.told.get((subject, key), (0, str(thing.state)))
            if state != thing.state or version > thing.version:
                yield (
                    f"{subject} {key} is {thing.state} at version {thing.version},"
                    f" the feed says {state} at {version}",
                    _RESTORE,
                )
        for kind, key in sorted(chart.told.keys()):
            if kind == subject and key not in things:
                yield f"the feed tells of {subject} {key}, which is not there", _RESTORE


def somebody_will_do_what_is_due(chart: Chart) -> Iterator[tuple[str, str]]:
    """No work has been given up, and none that a task needs is missing."""
    waiting = {(w.kind, w.entity) for w in chart.work}
    for work in chart.work:
        if work.state is WorkState.PARKED:
            yield (
                f"work {work.id} ({work.kind} of {work.entity}) was given up"
                f" after {work.attempts} attempts: {work.error.partition(':')[0]}",
                f"mend the cause that it names, then `timevalg work retry {work.id}`",
            )
    for task in chart.tasks.values():
        needs = []
        if task.state is TaskState.SCHEDULED:
            needs.append("open")
        if task.state in _FALLS_DUE:
            needs.append("fall due")
        for kind in needs:
            if (kind, task.id) not in waiting:
                yield (
                    f"nobody will do {kind!r} for {task.state} task {task.id}",
                    ("take the task over, so that staff see to it"),
                )


def no_letter_is_half_sent(chart: Chart) -> Iterator[tuple[str, str]]:
    """A letter on its way is in somebody's hands."""
    hands = {w.entity for w in chart.work if w.kind == "send letter"}
    for letter in chart.letters:
        if letter.id not in hands:
            half = "perhaps sent, perhaps not" if letter.state is LetterState.SENDING else "unsent"
            yield (
                f"letter {letter.id} is {half}, and nobody will send it",
                ("ask the channel whether it went; if not, write it again"),
            )

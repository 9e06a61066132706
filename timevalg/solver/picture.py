"""What planning looks at: the index, and the tasks whose places it may move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.index import Index

if TYPE_CHECKING:
    from timevalg.solver.certificates import Certificate


@dataclass(frozen=True, eq=False)
class Picture:
    """An organisation at one moment.

    Attributes
    ----------
    index : Index
        Everything that takes time.
    tasks : mapping
        The tasks that are not at their end, by id.
    now : datetime
        The clock's instant when it was read, UTC.
    versions : mapping
        Clinic id → how often its file had been published.
    settled : mapping
        Task id → what a prover found for candidates that repair had left undecided: proposals, to
        be verified before use (`timevalg.solver.recall`).
    """

    index: Index
    tasks: Mapping[str, Task]
    now: datetime
    versions: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[str, tuple[Certificate, ...]] = field(default_factory=dict)

    def apply(self, added: Iterable[Session] = (), removed: Iterable[str] = ()) -> Picture:
        """Give the picture after some sessions came and went."""
        return replace(self, index=self.index.apply(added, removed))

    def with_task(self, task: Task) -> Picture:
        """Give the picture with a task as it is now."""
        if self.tasks.get(task.id) == task:
            return self
        return replace(self, tasks={**self.tasks, task.id: task})

"""A verb that planners and record systems both have: declared once, with an id for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Response

from timevalg.api.schemas import patients, tasks, visits
from timevalg.api.schemas.given import After
from timevalg.api.surface import Endpoint, OnPorts, Who, tag
from timevalg.library.hospital import Hospital
from timevalg.library.record_system import RecordSystem
from timevalg.model.appointment import Appointment
from timevalg.model.records import Patient
from timevalg.model.task import Task

PLANNER, SYSTEM = "planner", "system"
TASK, VISIT = "/tasks/{task:path}", "/appointments/{appointment:path}"
Limit = Annotated[int, Query(ge=1, le=100)]
Next = Annotated[After, Query(description="`next` of the page before.")]
OF_TASK = {"task": "$response.body#/id"}
OF_VISIT = {"appointment": "$response.body#/id"}


@dataclass(frozen=True)
class Verb:
    """A route of one surface or of both.

    Attributes
    ----------
    ids : mapping
        Surface → operation id there.
    links : mapping
        Name of another verb's function → parameter → where the answer has it.
    """

    method: str
    path: str
    use: str
    endpoint: Callable[..., Any]
    ids: Mapping[str, str]
    links: Mapping[str, Mapping[str, str]]
    more: Mapping[str, Any]


class Verbs(list[Verb]):
    """The verbs of a file, in its order."""

    def add(
        self,
        method: str,
        path: str,
        use: str,
        *,
        links: Mapping[str, Mapping[str, str]] | None = None,
        system: str = "",
        planner: str = "",
        **more: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Add one under its operation ids; `more` as `Surface.operation` takes it."""

        def declare(endpoint: Endpoint) -> Endpoint:
            ids = {SYSTEM: system, PLANNER: planner}
            found = {side: name for side, name in ids.items() if name}
            self.append(Verb(method, path, use, endpoint, found, links or {}, more))
            return endpoint

        return declare


async def _hospital(ports: OnPorts, who: Who) -> Hospital:
    return Hospital(ports, who)


async def _record_system(ports: OnPorts, who: Who) -> RecordSystem:
    return RecordSystem(ports, who)


Here = Annotated[Hospital, Depends(_hospital)]
System = Annotated[RecordSystem, Depends(_record_system)]


def told_task(task: Task, response: Response) -> tasks.SentTaskOut:
    """Tell a task with its version."""
    tag(response, task.version)
    return tasks.SentTaskOut.of(task)


def told_visit(visit: Appointment, response: Response) -> visits.VisitOut:
    """Tell a visit with its version."""
    tag(response, visit.version)
    return visits.VisitOut.of(visit)


def told_patient(patient: Patient, response: Response) -> patients.PatientOut:
    """Tell a patient with their version."""
    tag(response, patient.version)
    return patients.PatientOut.of(patient)

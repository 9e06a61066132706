"""What a patient gives up for a claim, and the places that their other tasks keep of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.certificates import Certificate, as_place, is_place
from timevalg.solver.picture import Picture


@dataclass(frozen=True)
class GivenUp:
    """The sessions that make way for a claim of a task's.

    Attributes
    ----------
    released : tuple of Session
        Those that nothing is left of: the task's own, and holds that are nobody's place.
    holds : mapping
        By the id of the place, the holds that are the place of another task of the patient's.
    places : tuple of Session
        What is left of these: that task keeps its place there, to be moved like any other.
    """

    released: tuple[Session, ...]
    holds: Mapping[str, Session]
    places: tuple[Session, ...]

    @classmethod
    def of(cls, picture: Picture, task: Task, ignore: Iterable[str]) -> GivenUp:
        """Give what makes way in a picture.

        Parameters
        ----------
        ignore : iterable of str
            Ids of the sessions that the asker gives up beside the task's own place.
        """
        index = picture.index
        going = {s.id: s for s in index.by_task(task.id) if is_place(s)}
        going.update({k: index.sessions[k] for k in ignore if k in index.sessions})
        released, holds, places = list[Session](), dict[str, Session](), list[Session]()
        for session in going.values():
            other = picture.tasks.get(session.task or "")
            if session.is_place and other is not None and other.id != task.id:
                place = as_place(session)
                holds[place.id] = session
                places.append(place)
            else:
                released.append(session)
        return cls(tuple(released), holds, tuple(places))

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All that make way."""
        return (*self.released, *self.holds.values())

    def without(self, picture: Picture) -> Picture:
        """Give the picture in which they have made way."""
        return picture.apply(self.places, [s.id for s in self.sessions])

    def certificate(
        self, claims: Iterable[Session], displaced: Iterable[Session], moved: Iterable[Session]
    ) -> Certificate:
        """Give the certificate for claims and moves that were found where they have made way."""
        displaced = tuple(displaced)
        gone = {s.id for s in displaced}
        stay = [s for s in self.places if s.id not in gone]
        return Certificate(
            tuple(claims),
            self.released,
            tuple(self.holds.get(s.id, s) for s in (*displaced, *stay)),
            (*moved, *stay),
        )

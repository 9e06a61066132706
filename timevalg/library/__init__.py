"""The library: one object for a database and an organisation, one view of it for each who acts.

The views only call use cases; no rule lives here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

from timevalg.booking.ports import Channel, Keys, Ports
from timevalg.booking.sign_on import acting_as
from timevalg.booking.tell_systems import pass_on_events, unread
from timevalg.booking.unit_of_work import Clock
from timevalg.booking.work import Done, do_works, due_work
from timevalg.library.desk import Desk
from timevalg.library.patient import PatientView
from timevalg.library.record_system import RecordSystem
from timevalg.library.rights import Rights
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.store.migrate import upgrade
from timevalg.wiring import open_ports

__all__ = ["Desk", "PatientView", "RecordSystem", "Timevalg"]


@dataclass(frozen=True)
class Timevalg:
    """One organisation's choice of time, on one database."""

    ports: Ports
    organisation: str

    @classmethod
    def open(
        cls,
        url: str,
        *,
        organisation: str,
        clock: Clock | None = None,
        channel: Channel | None = None,
        keys: Keys | None = None,
        letters: str | Path | None = None,
        migrate: bool | None = None,
    ) -> Timevalg:
        """Open a store.

        Parameters
        ----------
        url : str
            ``sqlite:///file.db`` or ``postgresql://…``.
        organisation : str
            The tenant, by its organisation number.
        letters : path or None
            Folder into which letters go, unless a `channel` takes them.
        migrate : bool or None
            Bring the tables up to date first; default only for SQLite. For PostgreSQL run
            ``timevalg db upgrade``.
        """
        if migrate or (migrate is None and url.startswith("sqlite")):
            upgrade(url)
        folder = Path(letters) if letters is not None else None
        ports = open_ports(url, clock=clock, channel=channel, letters_folder=folder, keys=keys)
        return cls(ports, organisation)

    def system(self, name: str) -> RecordSystem:
        """Give a record system's view."""
        return RecordSystem(self.ports, self._principal(name, RoleName.SYSTEM))

    def patient(self, patient: str) -> PatientView:
        """Give a patient's own view."""
        return PatientView(self.ports, self._principal(patient, RoleName.PATIENT, patient=patient))

    def representative(self, identity: str, patient: str) -> PatientView:
        """Give the view of somebody who acts for a patient; looked up in each act."""
        person = self.ports.pseudonym(identity)
        who = self._principal(person, RoleName.REPRESENTATIVE, patient=patient, by_rights=True)
        return PatientView(self.ports, who)

    def planner(self, name: str, clinics: Iterable[str] | None = None) -> Desk:
        """Give the desk of a planner, for some clinics or all."""
        rights = frozenset(clinics) if clinics is not None else None
        return Desk(self.ports, self._principal(name, RoleName.PLANNER, clinics=rights))

    def operator(self, name: str = "operator") -> Rights:
        """Give what an operator can do with units and rights."""
        return Rights(self.ports, self._principal(name, RoleName.OPERATOR))

    def holder(self, holder: str, role: RoleName | str, *, channel: str = "library") -> Principal:
        """Give a principal who acts by the rights they hold, looked up in each act.

        Raises
        ------
        NotAllowed
            If none of them stands.
        """
        return acting_as(self.ports, self.organisation, holder, RoleName(role), channel)

    def desk(self, holder: str, role: RoleName | str = RoleName.PLANNER) -> Desk:
        """Give the desk of somebody by the rights they hold."""
        return Desk(self.ports, self.holder(holder, role))

    def rights(self, holder: str, role: RoleName | str = RoleName.PLANNER) -> Rights:
        """Give what somebody can do with the rights they hold."""
        return Rights(self.ports, self.holder(holder, role))

    def work(self, limit: int = 10_000) -> list[Done]:
        """Do what is due now, in this process; gives what came of each piece."""
        who, done = worker(self.organisation), list[Done]()
        while len(done) < limit:
            for subscription, _ in unread(self.ports, self.organisation):
                pass_on_events(self.ports, who, subscription)
            batch = due_work(self.ports, self.organisation)
            if not batch:
                break
            for kind, of_kind in groupby(batch, key=lambda work: work.kind):
                keys = [work.id for work in of_kind]
                done += [came for _, came in do_works(self.ports, who, kind, keys)]
        return done

    def close(self) -> None:
        """Let go of the database."""
        self.ports.store.close()

    def __enter__(self) -> Timevalg:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _principal(self, name: str, role: RoleName, **more: Any) -> Principal:
        return Principal(name, role, self.organisation, **more)

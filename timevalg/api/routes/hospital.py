"""What planners and record systems do alike: each verb is declared once, for both surfaces."""

from __future__ import annotations

from timevalg.api.routes import hospital_patients, hospital_tasks, hospital_visits
from timevalg.api.surface import Surface

VERBS = (*hospital_tasks.VERBS, *hospital_visits.VERBS, *hospital_patients.VERBS)


def declare(router: Surface, side: str) -> None:
    """Add the verbs of one side to its routes."""
    here = {v.endpoint.__name__: v.ids[side] for v in VERBS if side in v.ids}
    for one in VERBS:
        if side not in one.ids:
            continue
        links = {here[name]: parameters for name, parameters in one.links.items() if name in here}
        router.operation(
            one.method, one.path, one.use, name=one.ids[side], links=links, **one.more
        )(one.endpoint)

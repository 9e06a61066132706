"""Workers whose letters fail, with a patient's number in the words of the error.

Run as ``dramatiq tests.integration.workers.failing``, or imported before another command.
"""

import workers
from timevalg.letters import Letters

CANARY = "13047212345"


def render(self, kind, facts):
    raise RuntimeError(f"no paper for {CANARY}: {facts}")


Letters.render = render
broker = workers.broker

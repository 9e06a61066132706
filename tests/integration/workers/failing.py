"""Workers whose letters fail, with a patient's number in the words of the error.

Run as ``dramatiq tests.integration.workers.failing``, or imported before another command; never by
a test, whose process would be left without letters.
"""

import workers
from tests.integration.workers.canary import CANARY
from timevalg.letters import Letters


def render(self, kind, facts):
    raise RuntimeError(f"no paper for {CANARY}: {facts}")


Letters.render = render
broker = workers.broker

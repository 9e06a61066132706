"""The process that loads CP-SAT: problems come on standard input, answers go to standard output.

Each answer is written as soon as there is one, so that what was answered survives the process. A
problem on which CP-SAT itself fails is answered by nothing, and the process ends with status 1. It
ends with its parent: the parent holds the other end of a pipe, which closes if it dies.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
import time
import traceback

from timevalg.prover.limits import Limits
from timevalg.solver.problem import Solution


def main() -> None:
    """Answer the problems one after the other."""
    started = time.monotonic()
    limits, lifeline, problems = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    _limit_memory(limits)
    from timevalg.prover.levels import solve

    end, failed = started + limits.wall, False
    for number, problem in enumerate(problems):
        until = limits.until(time.monotonic(), end, len(problems) - number)
        try:
            answer = solve(problem, limits, until)
        except Exception:  # CP-SAT itself fails now and then: that says nothing of the others
            traceback.print_exc()
            answer, failed = Solution(), True
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    sys.exit(failed)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def _limit_memory(limits: Limits) -> None:
    most = limits.memory * 2**20
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()

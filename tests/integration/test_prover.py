"""CP-SAT's process: whatever happens to it, an answer comes, and nothing is called proven."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest

from tests.property.small_plans import draw
from timevalg.prover import CpSat, Limits
from timevalg.solver.bits import lowest
from timevalg.solver.complete import settle_plan
from timevalg.solver.problem import Need, Option, Problem, Seat, Solution, Wanted

SOON = Limits(wall=1.0, grace=1.0)
LONG = Limits(wall=600.0, effort=1e9)


def visits(count: int, starts: int, must: bool = True) -> Problem:
    """`count` visits of three cells, all by one clinician; bit i of `starts`: cell i is a start."""
    option = Option("p", starts, 3, (Need("doctor", 1, 0, 3, {"kari": starts}),))
    wanted = (Wanted(f"t-{i}", f"p-{i}", (option,), must, deadline=i) for i in range(count))
    return Problem(0, tuple(wanted))


def endless() -> Problem:
    """One visit more than the days can hold, two a day: no counting of minutes shows it."""
    days = sum(0b111111 << 10 * day for day in range(14))
    return visits(29, days)


def running(code: str) -> tuple[str, ...]:
    """Run the prover's process with something done to it first."""
    run = "import runpy; runpy.run_module('timevalg.prover', run_name='__main__')"
    return (sys.executable, "-c", f"{code}\n{run}")


def telling(fifo: Path) -> tuple[str, ...]:
    """Run it so that it writes its number into a pipe, which it keeps open, before each solve."""
    return running(
        f"""
import os
import timevalg.prover.levels as levels
solve = levels.solve
def told(*arguments):
    global pipe
    pipe = open({str(fifo)!r}, "w")
    pipe.write(str(os.getpid()) + "\\n")
    pipe.flush()
    return solve(*arguments)
levels.solve = told
"""
    )


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "pid"
    os.mkfifo(path)
    return path


def test_it_finds_it_proves_and_it_leaves_out_the_latest_deadline_the_same_again():
    problems = [visits(2, 0b1001), visits(3, 0b1001), visits(3, 0b1001, must=False)]
    first, second = (CpSat(Limits(wall=600.0)).solve(problems) for _ in range(2))
    fits, cannot, all_but_one = first
    assert fits.proven
    assert sorted(s.start for s in fits.seats.values()) == [0, 3]
    assert cannot.impossible
    assert all_but_one.proven
    assert set(all_but_one.seats) == {"t-0", "t-1"}
    assert all_but_one.seats["t-0"].names == (("kari",),)
    assert first == second


def test_loading_the_package_loads_no_solver():
    code = "import sys, timevalg.prover; print('ortools' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "command",
    [
        running("import sys; sys.modules['ortools'] = None"),
        ("/there/is/no/such/program",),
        (sys.executable, "-c", "print('nonsense')"),
        (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"),
        (sys.executable, "-c", "import signal; signal.pause()"),
    ],
    ids=["not installed", "no program", "talks nonsense", "killed at once", "hangs"],
)
def test_a_prover_that_fails_says_nothing(command):
    prover = CpSat(Limits(wall=0.5, grace=0.5), command)
    assert prover.solve([visits(2, 0b1001)]) == [Solution()]


def test_a_problem_on_which_it_fails_is_answered_by_nothing_and_the_others_are_asked(capsys):
    """As CP-SAT does now and then: ``IndexError: raw_hash_map<>::at``."""
    code = """
import timevalg.prover.levels as levels
solve = levels.solve
def failing(problem, *arguments):
    if len(problem.wanted) == 3:
        raise IndexError("raw_hash_map")
    return solve(problem, *arguments)
levels.solve = failing
"""
    few, many = visits(2, 0b1001), visits(3, 0b1001)
    first, failed, last = CpSat(command=running(code)).solve([few, many, few])
    assert failed == Solution()
    assert first == last
    assert first.proven
    assert "prover failed" in capsys.readouterr().out


def test_a_hard_problem_does_not_starve_those_after_it():
    limits = Limits(least=2.0)
    assert limits.until(0.0, 20.0, 2) == 10.0  # half of what there is
    assert limits.until(1.0, 20.0, 1) == 20.0  # and the other all that is left
    assert limits.until(0.0, 20.0, 600) == 2.0  # many: each what it takes to be worth it
    assert limits.until(19.5, 20.0, 600) == 20.0


def test_the_runs_of_a_sitting_share_its_seconds(monkeypatch):
    """A plan asks again and again, about ever more tasks; whoever waits has to be answered."""
    given = []
    monkeypatch.setattr(
        CpSat, "_answers", lambda prover, problems, limits: given.append(limits.wall) or []
    )
    moments = iter([100.0, 101.0, 118.0, 129.0, 130.0, 150.0])
    monkeypatch.setattr("timevalg.prover.outside.time.monotonic", lambda: next(moments))
    prover = CpSat(Limits(wall=20.0)).sitting(30.0)
    for _ in range(5):
        assert prover.solve([endless()]) == [Solution()]
    assert given == [20.0, 12.0, 1.0]


def test_out_of_memory_says_nothing():
    assert CpSat(Limits(memory=64)).solve([visits(2, 0b1001)]) == [Solution()]


@pytest.mark.parametrize(
    "limits", [SOON, Limits(wall=600.0, effort=0.2)], ids=["wall clock", "effort"]
)
def test_out_of_time_says_nothing(limits):
    assert CpSat(limits).solve([endless()]) == [Solution()]


def test_killed_while_it_solves_it_leaves_what_was_answered_and_nothing_behind(fifo, tmp_path):
    got: list[Solution] = []
    prover = CpSat(LONG, telling(fifo))
    asking = threading.Thread(
        target=lambda: got.extend(prover.solve([visits(2, 0b1001), endless()]))
    )
    asking.start()
    with fifo.open() as pipe:
        pipe.readline()  # the first, which is soon answered
        os.kill(int(pipe.readline()), signal.SIGKILL)
        assert pipe.read() == ""  # closed: it is gone
    asking.join()
    assert [s.proven for s in got] == [True, False]
    assert got[1] == Solution()
    assert [p.name for p in tmp_path.iterdir()] == ["pid"]


def test_it_ends_with_the_process_that_asked(fifo):
    code = (
        "from tests.integration.test_prover import *\n"
        f"CpSat(LONG, telling(Path({str(fifo)!r}))).solve([endless()])"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    with fifo.open() as pipe:
        pipe.readline()
        parent.kill()
        assert pipe.read() == ""  # would block for minutes if it lived on
    parent.wait()


def test_without_a_prover_the_plan_still_comes_and_is_not_called_proven():
    broken = CpSat(SOON, ("/there/is/no/such/program",))
    said = set()
    for seed in range(12):
        case = draw(Random(seed))
        settled = settle_plan(case.picture, case.tasks, case.picture.now, broken.solve)
        served = {c.claim.task for c in settled.plan.placed}
        assert served | {t.id for t in settled.plan.unplaced} == {t.id for t in case.tasks}
        said.add((settled.proven, bool(settled.plan.unplaced)))
    assert (False, True) in said
    assert (False, False) not in said


def test_an_answer_that_breaks_a_rule_is_not_believed():
    """Guard on: a prover that seats everybody at the same time changes nothing."""

    def first_come(wanted: Wanted) -> Seat:
        number, option = next((i, o) for i, o in enumerate(wanted.options) if o.starts)
        names = tuple(tuple([*need.able][: need.count]) for need in option.needs)
        return Seat(number, lowest(option.starts), names)

    def lying(problems):
        return [Solution({w.task: first_come(w) for w in p.wanted}, True) for p in problems]

    for seed in range(12):
        case = draw(Random(seed))
        told = settle_plan(case.picture, case.tasks, case.picture.now, lying)
        silent = settle_plan(
            case.picture, case.tasks, case.picture.now, lambda ps: [Solution() for _ in ps]
        )
        assert told.plan.unplaced == silent.plan.unplaced
        assert told.proven == silent.proven

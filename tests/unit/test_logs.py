"""What is logged of an exception."""

import json
import logging
import subprocess
import sys

from timevalg.logs import without_words

SCRIPT = """
import logging, threading, warnings
from timevalg import logs
logs.configure()
try:
    raise ValueError("13047212345")
except ValueError:
    logging.getLogger("elsewhere").exception("it failed")
def fail():
    raise KeyError("13047212345")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
raise RuntimeError("13047212345")
"""


def test_an_exception_is_told_by_its_sort_and_place_whoever_logs_it():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["error"] for line in lines] == ["ValueError", "KeyError", "RuntimeError"]
    assert lines[0]["event"] == "it failed"
    assert lines[0]["logger"] == "elsewhere"
    assert "fail" in lines[1]["where"][-1]
    assert "13047212345" not in done.stdout + done.stderr


def test_guard_off_its_words_would_be_told():
    try:
        raise ValueError("13047212345")
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    assert "13047212345" in logging.Formatter().formatException(raised)
    for given in (raised, raised[1]):
        assert "13047212345" not in str(without_words(None, "", {"exc_info": given}))

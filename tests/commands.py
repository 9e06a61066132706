"""The `timevalg` command in this process: all of it but the start of a Python.

That it starts as one is shown by `test_commands.py`, `test_serve.py` and `test_wheel.py`.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

from timevalg.cli import main


def timevalg(*words: object) -> CompletedProcess[str]:
    """Run a command to its end."""
    said = ["timevalg", *map(str, words)]
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        patch.setattr(sys, "argv", said)
        main()
    code = left.value.code
    status = code if isinstance(code, int) else 0
    return CompletedProcess(said, status, out.getvalue(), err.getvalue())

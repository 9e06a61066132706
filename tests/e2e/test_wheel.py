"""An installed wheel works without the checkout: migrations, example and commands are in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, {!r}); from timevalg.cli import main; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with just what the wheel holds."""
    built, home = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
    return home


def timevalg(installed, cwd, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-I", "-c", START.format(str(installed)), *arguments],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if not k.startswith("TIMEVALG")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_comes_from_the_wheel_alone(installed, tmp_path):
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); import timevalg, workers; "
    code += "print(timevalg.__file__, workers.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(installed)) for path in done.stdout.split())


def test_db_upgrade_makes_the_tables_again_and_again(installed, tmp_path):
    url = f"sqlite:///{tmp_path}/new.sqlite"
    for _ in range(2):
        done = timevalg(installed, tmp_path, "db", "upgrade", TIMEVALG_DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.sqlite").stat().st_size > 0


def test_db_upgrade_on_postgresql(installed, tmp_path, postgres):
    url = postgres.create_database()
    try:
        done = timevalg(installed, tmp_path, "db", "upgrade", "--database", url)
        assert done.returncode == 0, done.stderr
    finally:
        postgres.drop_database(url)


def test_a_wrong_address_is_one_sentence(installed, tmp_path):
    done = timevalg(installed, tmp_path, "db", "upgrade", "--database", "mysql://nowhere/x")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "sqlite" in done.stderr


def test_the_demo_plays_the_example_of_the_wheel(installed, tmp_path):
    done = timevalg(
        installed, tmp_path, "demo", "--json", "--tasks", "5", "--weeks", "3", "--folder", "out"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "demo.sqlite").exists()
    assert done.stderr == ""

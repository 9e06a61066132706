"""An installed wheel works without the checkout: migrations, example and commands are in it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.serving import free_port
from tests.waiting import until

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


@contextmanager
def running(installed, cwd, arguments, environment):
    """Run a command of the wheel until the block ends; it has to end well."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("TIMEVALG")}
    command = [sys.executable, "-I", "-c", START.format(str(installed)), *arguments]
    with subprocess.Popen(
        command, cwd=cwd, env=known | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(30) in {0, -signal.SIGTERM}


def answered(process, url):
    """Ask now and then until it is well; fails if the process has ended."""

    def well():
        assert process.poll() is None, process.stderr.read()
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    until(well)


def test_the_services_of_the_compose_file_run(installed, tmp_path, postgres, redis_url):
    """Upgrade, grant, API and worker, each by its command and in production, without an engine."""
    services = yaml.safe_load((ROOT / "examples/deploy/compose.yaml").read_text())["services"]
    owner, role, ports = (
        postgres.create_database(),
        f"app_{os.getpid()}",
        [free_port(), free_port()],
    )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
    issuer = {"issuer": "i", "audience": "a", "keys": "https://i.test/keys", "profile": "helseid"}
    given = {
        "TIMEVALG_DATABASE_URL": owner.replace("postgres@", f"{role}@"),
        "TIMEVALG_REDIS_URL": redis_url,
        "TIMEVALG_SEARCH_KEY": "k" * 32,
        "TIMEVALG_ISSUERS": json.dumps([issuer]),
        "TIMEVALG_PROXIES": "",
        "TIMEVALG_TRACES": "",
        "TIMEVALG_LETTERS": str(tmp_path / "letters"),
        "TIMEVALG_WATCH": f"127.0.0.1:{ports[1]}",
    }

    def of(name, **others):
        known = services[name]["environment"]
        command = [others.get(word, word) for word in services[name]["command"]]
        return command, known | {k: v for k, v in given.items() if k in known}

    try:
        for name in ("upgrade", "grant"):
            command, environment = of(name, timevalg_app=role)
            environment["TIMEVALG_DATABASE_URL"] = owner
            done = timevalg(installed, tmp_path, *command, **environment)
            assert done.returncode == 0, done.stderr
        here = {"0.0.0.0": "127.0.0.1", "8000": str(ports[0])}
        with (
            running(installed, tmp_path, *of("api", **here)) as api,
            running(installed, tmp_path, *of("worker")) as worker,
        ):
            answered(api, f"http://127.0.0.1:{ports[0]}/ready")
            answered(worker, f"http://127.0.0.1:{ports[1]}/readyz")
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
        postgres.drop_database(owner)


def test_it_comes_from_the_wheel_alone(installed, tmp_path):
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); import timevalg, workers; "
    code += "print(timevalg.__file__, workers.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [path.startswith(str(installed)) for path in done.stdout.split()] == [True, True]


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

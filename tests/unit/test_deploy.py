"""The Dockerfile and the compose file name only what there is; no container engine is needed."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from timevalg.api.app import make_app
from timevalg.api.gate import OPEN
from timevalg.api.serving import GRACE
from timevalg.cli.app import app
from timevalg.settings import PREFIX, SETTINGS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples" / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = [name for name, service in COMPOSE["services"].items() if service["image"] == "timevalg"]
KNOWN = {PREFIX + s.name for s in SETTINGS}


def instructions():
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            verb, _, rest = line.partition(" ")
            yield verb, rest.strip()


def said(verb):
    return [rest for found, rest in instructions() if found == verb]


def parsed(arguments):
    """Read a command line as the command would, without running it."""
    command, rest = typer.main.get_command(app), list(arguments)
    while commands := getattr(command, "commands", None):
        command = commands[rest.pop(0)]
    return command.make_context(arguments[0], rest)


@pytest.fixture(autouse=True)
def address(monkeypatch):
    monkeypatch.setenv("TIMEVALG_DATABASE_URL", "postgresql://database/timevalg")


def test_the_image_is_made_of_what_there_is():
    copied = [rest.split()[:-1] for rest in said("COPY") if not rest.startswith("--from")]
    names = {name for some in copied for name in some}
    assert all((ROOT / name).exists() for name in names)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == names
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) | {PROJECT["project"]["readme"]} <= names
    extras = re.search(r'"\.\[(.*)\]"', " ".join(said("RUN")))[1]
    assert set(extras.split(",")) <= PROJECT["project"]["optional-dependencies"].keys()


def test_the_locked_versions_are_read_from_the_lock():
    pattern = re.search(r"s/(.*?)/\\1/p", " ".join(said("RUN")))[1]
    pattern = pattern.replace(r"\(", "(").replace(r"\)", ")")
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    found = [m[1] for line in lock if (m := re.match(pattern, line))]
    assert len(found) == sum(1 for line in lock if "==" in line and not line.startswith(" "))
    assert found and all(re.fullmatch(r"[a-z0-9._-]+==[a-z0-9.+!]+", pin) for pin in found)


def test_the_image_runs_a_command_that_exists_and_not_as_root():
    (entry,) = json.loads(said("ENTRYPOINT")[0])
    assert entry in PROJECT["project"]["scripts"]
    context = parsed(json.loads(said("CMD")[0]))
    assert context.info_name == "serve"
    assert said("EXPOSE") == [str(context.params["port"])]
    assert said("USER") == [re.search(r"useradd .* (\w+) &&", " ".join(said("RUN")))[1]]
    variables = {word.partition("=")[0] for word in shlex.split(" ".join(said("ENV")))}
    assert {name for name in variables if name.startswith(PREFIX)} <= KNOWN


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_that_exists(name):
    service = COMPOSE["services"][name]
    parsed(service["command"])
    environment = service["environment"]
    assert environment.keys() <= KNOWN
    assert environment["TIMEVALG_MODE"] == "production"
    assert service["build"]["dockerfile"] == str(DOCKERFILE.relative_to(ROOT))
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert set() < set(service["depends_on"]) < COMPOSE["services"].keys()


def test_a_command_that_does_not_exist_is_found():
    with pytest.raises(Exception, match="No such option"):
        parsed(["serve", "--nothing"])
    with pytest.raises(KeyError):
        parsed(["fly"])


def test_the_program_has_a_role_of_its_own_that_is_given_what_it_needs():
    services = COMPOSE["services"]
    owner = services["database"]["environment"]["POSTGRES_USER"]
    (made,) = COMPOSE["configs"].values()
    role = re.fullmatch(
        r"CREATE ROLE (\w+) LOGIN PASSWORD '\$\{APP_PASSWORD:\?.*\}'", made["content"]
    )[1]
    assert services["grant"]["command"][-1] == role
    users = {
        name: re.match(
            r"postgresql://(\w+):", services[name]["environment"]["TIMEVALG_DATABASE_URL"]
        )[1]
        for name in OURS
    }
    assert users == {"upgrade": owner, "grant": owner, "api": role, "worker": role}


def test_what_is_asked_whether_it_is_well_answers(world_app):
    api = COMPOSE["services"]["api"]
    port = parsed(api["command"]).params["port"]
    asked = re.search(r"http://127.0.0.1:(\d+)(/\w+)", " ".join(api["healthcheck"]["test"]))
    assert (int(asked[1]), asked[2] in OPEN) == (port, True)
    assert asked[2] in world_app.openapi()["paths"]
    worker = COMPOSE["services"]["worker"]
    asked = re.search(r":(\d+)(/\w+)", " ".join(worker["healthcheck"]["test"]).split("//")[1])
    assert worker["environment"]["TIMEVALG_WATCH"].endswith(f":{asked[1]}")
    assert asked[2] in (ROOT / "workers" / "watch.py").read_text()


def test_what_has_begun_has_time_to_end():
    given = COMPOSE["services"]["api"]["stop_grace_period"]
    assert int(given.removesuffix("s")) > GRACE


def test_no_password_is_written_down():
    written = [
        value
        for service in COMPOSE["services"].values()
        for name, value in (service.get("environment") or {}).items()
        if "PASSWORD" in name
    ]
    assert written and all(re.fullmatch(r"\$\{\w+:\?.*\}", value) for value in written)


@pytest.fixture
def world_app():
    from tests.world import World
    from timevalg.settings import Settings
    from timevalg.store.memory import Memory

    return make_app(World(Memory).ports, Settings.of({}), lambda *_: None)

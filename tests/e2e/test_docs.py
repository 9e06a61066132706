"""The pages are true: the example gives what they say, and citations and links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from tests.commands import timevalg
from timevalg.clinic.format import Row
from timevalg.clinic.shape import fields
from timevalg.solver.search import RULES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "clinic-file.md").read_text(encoding="utf-8")
SOURCES = sorted(
    path
    for folder in ("timevalg", "workers", "migrations", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
CITED = re.compile(r'(docs/[a-z-]+\.md|README)(?:, "([^"]+)"(?: and "([^"]+)")?|, (G\d))?')


@pytest.fixture
def example(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "clinic.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(*words):
    done = timevalg(*words, "--now", "2027-01-04T08:00", "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def test_the_example_of_the_page_gives_what_the_page_says(example):
    checked = timevalg("check", example)
    assert (checked.returncode, checked.stderr) == (0, "")
    starts = [one["start"] for one in told("search", example, "--task", "t-1")["starts"]]
    assert starts == [
        f"2027-01-{day:02}T{hour}:00+01:00"
        for day in (7, 12, 14, 26, 28)
        for hour in ("09:00", "09:30", "10:00", "10:30")
    ]
    (place,) = told("reserve", example)["reserves"]
    assert (place["task"], place["start"]) == ("t-1", "2027-01-28T10:30:00+01:00")


def rows(kind=Row):
    for row in kind.__subclasses__():
        yield row
        yield from rows(row)


def test_the_page_names_every_key_of_the_format():
    keys = {key for row in rows() for key in fields(row)} - {"format"}
    assert {"raster", "together", "weeks"} <= keys
    prose = re.sub(r"```yaml.*?```", "", PAGE, flags=re.DOTALL)
    said = " ".join(re.findall(r"`[^`]+`|^### .*", prose, re.MULTILINE))
    assert keys - set(re.findall(r"[a-z_]+", said)) == set()


def test_the_page_numbers_and_names_the_rules_as_the_search_does():
    numbered = re.findall(r"^(\d)\. \*\*([a-z]+)\*\*:", PAGE, re.MULTILINE)
    assert [(int(number), name) for number, name in numbered] == list(enumerate(RULES, 1))


def test_citations_lead_somewhere():
    found = 0
    for path in SOURCES:
        text = re.sub(r"\n[# ]*", " ", path.read_text(encoding="utf-8"))
        assert "design.md" not in text and not re.search(r"(?<!docs/)clinic-file\.md", text), path
        for page, *headings, promise in CITED.findall(text):
            file = ROOT / (page if page.endswith(".md") else "README.md")
            assert file.is_file(), f"{path} cites {page}"
            lines = file.read_text(encoding="utf-8").splitlines()
            assert any(line.startswith(f"- **{promise}") for line in lines) or not promise
            for heading in filter(None, headings):
                assert f"## {heading}" in lines, f"{path} cites {page}, {heading!r}"
                found += 1
    assert found > 5


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_pages_are_listed_in_the_readme_and_link_to_what_is_there(page):
    assert f"](docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link

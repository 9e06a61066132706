"""Folders of files: one organisation, shared resources, unique ids."""

from pathlib import Path

import pytest

from tests.unit.clinic import page
from timevalg.clinic import read
from timevalg.model.errors import InvalidInput

OTHER = page.SURGERY.replace("id: surgery", "id: other").replace("room-7", "room-8")


def keys(folder: Path) -> dict[tuple[str, str], str]:
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    return {(Path(p.where).name, p.key): p.message for p in caught.value.problems}


def test_the_clinics_of_a_folder(tmp_path: Path):
    (page.write(tmp_path) / "other.yml").write_text(OTHER)
    contents = read(tmp_path)
    assert list(contents.organisation.clinics) == ["gastro", "other", "surgery"]
    assert list(contents.sources) == ["gastro", "other", "surgery"]
    rooms = {c.id: c.resources.get("room-7") for c in contents.organisation.clinics.values()}
    assert {key: r.owner for key, r in rooms.items() if r} == {"gastro": "surgery", "surgery": None}


def test_all_clinics_name_one_organisation(tmp_path: Path):
    (page.write(tmp_path) / "other.yaml").write_text(OTHER.replace("999999999", "888888888"))
    assert keys(tmp_path) == {
        ("other.yaml", "clinic.organisation"): (
            "'888888888' differs from '999999999' in the other files"
        )
    }


def test_clinic_ids_are_unique(tmp_path: Path):
    (page.write(tmp_path) / "other.yaml").write_text(OTHER.replace("id: other", "id: gastro"))
    found = keys(tmp_path)
    assert list(found) == [("other.yaml", "clinic.id")]
    assert "'gastro' is already the clinic of" in found["other.yaml", "clinic.id"]


def test_resource_ids_are_unique_in_the_organisation(tmp_path: Path):
    text = OTHER.replace("room-8", "chair/3")
    (page.write(tmp_path) / "other.yaml").write_text(text)
    found = keys(tmp_path)
    assert list(found) == [("other.yaml", "resources[0].id")]
    message = found["other.yaml", "resources[0].id"]
    assert "'chair/3' is already a resource of" in message and "`owner:`" in message


def test_task_ids_are_unique_in_the_organisation(tmp_path: Path):
    task = "tasks: [{id: t-1, patient: p, pools: [], opens: 2027-01-01, due: 2027-01-02}]\n"
    (page.write(tmp_path) / "other.yaml").write_text(OTHER + task)
    assert "'t-1' is already the id of a task in" in keys(tmp_path)["other.yaml", "tasks[0].id"]


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        (
            "{id: room-7, kind: room, owner: surgery}",
            "{id: room-77, kind: room, owner: surgery}",
            "resources[2].id",
            "clinic 'surgery' owns no resource 'room-77'; did you mean 'room-7'?",
        ),
        (
            "{id: room-7, kind: room, owner: surgery}",
            "{id: room-7, kind: equipment, owner: surgery}",
            "resources[2].kind",
            "'equipment' differs from its owner's room",
        ),
        (
            "{id: room-7, kind: room, owner: surgery}",
            "{id: room-7, kind: room, owner: surgery, capacity: 2}",
            "resources[2].capacity",
            "2 differs from its owner's; leave it out",
        ),
    ],
)
def test_what_is_borrowed_is_owned(tmp_path: Path, old, new, key, message):
    found = {p.key: p.message for p in page.problems(tmp_path, gastro=page.swapped(old, new))}
    assert found == {key: message}


def test_a_borrowed_capacity_is_that_of_its_owner(tmp_path: Path):
    surgery = page.SURGERY.replace("    kind: room\n", "    kind: room\n    capacity: 3\n")
    clinics = page.contents(tmp_path, surgery=surgery).organisation.clinics
    assert clinics["gastro"].members("room-7") == ("room-7/1", "room-7/2", "room-7/3")
    assert clinics["gastro"].resources["room-7/2"].skills == {"minor-surgery"}


def test_one_member_may_be_borrowed(tmp_path: Path):
    surgery = page.SURGERY.replace("    kind: room\n", "    kind: room\n    capacity: 3\n")
    gastro = page.swapped("{id: room-7, kind", "{id: room-7/2, kind")
    clinics = page.contents(tmp_path, surgery=surgery, gastro=gastro).organisation.clinics
    borrowed = clinics["gastro"].resources["room-7/2"]
    assert (borrowed.owner, borrowed.group) == ("surgery", None)
    assert borrowed.skills == {"minor-surgery"}


def test_a_pairing_knows_the_skills_of_what_is_borrowed(tmp_path: Path):
    gastro = page.swapped("[dr-lie, room-2]]}]", "[dr-lie, room-7]]}]")
    surgery = page.SURGERY.replace("[minor-surgery]", "[endoscopy-room]")
    assert page.contents(tmp_path, gastro=gastro, surgery=surgery).organisation.clinics
    (problem,) = page.problems(tmp_path, gastro=gastro)
    assert problem.message == "'room-7' lacks endoscopy-room, which role 'room' needs"


def test_names_are_the_nearest_of_the_owner_only(tmp_path: Path):
    text = page.swapped("owner: surgery}", "owner: surgery, name: Rom sju}")
    resource = (
        page.contents(tmp_path, gastro=text).organisation.clinics["gastro"].resources["room-7"]
    )
    assert str(resource.name) == "Rom sju"

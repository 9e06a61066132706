"""What loads with a warning."""

from pathlib import Path

from tests.unit.clinic import page


def warned(folder: Path, text: str) -> dict[str, tuple[int | None, str]]:
    warnings = page.contents(folder, gastro=text).warnings
    assert all(w.where == str(folder / "gastro.yaml") for w in warnings)
    return {w.key: (w.line, w.message) for w in warnings}


def test_nothing_to_say_of_the_example(tmp_path: Path):
    assert warned(tmp_path, page.GASTRO) == {}


def test_a_role_that_too_few_resources_fit(tmp_path: Path):
    text = page.swapped("dr-lie, nurse-1, nurse-2, nurse-3, room-1", "dr-lie, nurse-1, room-1")
    line = page.line_of(text, "- id: colonoscopy-first")
    assert warned(tmp_path, text)["pools[0]"] == (
        line,
        "only 1 of 2 fit role 'nurse': nothing is offered",
    )


def test_a_role_that_no_resource_fits(tmp_path: Path):
    text = page.swapped("skills: [endoscopy], start: 10", "skills: [endoscopi], start: 10")
    text = text.replace("    together:", "    # together:")
    message = "no resource fits role 'endoscopist': nothing is offered"
    assert warned(tmp_path, text)["pools[0]"][1] == message


def test_only_that_leaves_too_few(tmp_path: Path):
    text = page.swapped("only: {endoscopist: [dr-berg]}", "only: {nurse: [nurse-1]}")
    assert warned(tmp_path, text)["tasks[0].only"] == (
        page.line_of(text, "only: {nurse"),
        "only 1 of 2 fit role 'nurse' with this task's `only`: nothing is offered",
    )


def booking(number: int, start: str, patient: str, room: str) -> str:
    return (
        f'  - {{id: x-{number}, patient: {patient}, service: colonoscopy, start: "{start}", '
        f"resources: {{room: [{room}]}}}}\n"
    )


def with_bookings(*rows: str) -> str:
    return page.GASTRO.replace("busy: [{resource", "".join(rows) + "busy: [{resource")


def test_overlapping_bookings_load(tmp_path: Path):
    text = with_bookings(booking(1, "2027-01-12T10:10", "p-2", "room-1"))
    assert warned(tmp_path, text) == {
        "bookings[1]": (
            page.line_of(text, "id: x-1"),
            "overlaps booking 'b-1' for resource 'room-1'",
        )
    }


def test_bookings_that_touch_do_not_overlap(tmp_path: Path):
    assert warned(tmp_path, with_bookings(booking(1, "2027-01-12T10:20", "p-2", "room-1"))) == {}


def test_a_patient_in_two_places(tmp_path: Path):
    text = with_bookings(booking(1, "2027-01-12T09:30", "p-9", "room-2"))
    assert warned(tmp_path, text)["bookings[1]"][1] == "overlaps booking 'b-1' for patient 'p-9'"


def test_a_booking_that_contradicts_its_task(tmp_path: Path):
    text = page.swapped("task: t-9,", "task: t-1,")
    assert warned(tmp_path, text)["bookings[0].task"][1] == "task 't-1' is for patient 'p-1'"

"""What patients decide and are told about who acts for them, over HTTP."""

TASKS = "/v1/patient/tasks"


def test_a_patient_decides_what_those_who_act_for_them_see(world, caller):
    task = world.invited()
    me, mum = caller("patient:p-1"), caller("representative:p-1")
    assert mum.get(f"{TASKS}/{task.id}").status_code == 200
    version = me.get(f"{TASKS}/{task.id}").headers["ETag"]
    done = me.post(f"{TASKS}/{task.id}/withholding", {"withheld": True}, version=version)
    assert (done.status_code, done.json()["withheld"]) == (200, True)
    assert mum.get(f"{TASKS}/{task.id}").status_code == 404
    assert mum.get(TASKS).json()["tasks"] == []
    refused = mum.post(f"{TASKS}/{task.id}/withholding", {"withheld": False})
    assert refused.status_code == 403
    assert me.post(f"{TASKS}/{task.id}/withholding", {"withheld": 0}).status_code == 422
    assert me.post(f"{TASKS}/t-0/withholding", {"withheld": True}).status_code == 404


def test_the_hospital_shows_a_parent_what_age_would_withhold(world, caller):
    """A child of twelve can decide nothing here: the clinic or the record system does."""
    task, visit = world.chosen()
    mum = caller("representative:p-1")
    for who, path in (
        ("planner:anna", "planner"),
        ("clinician:kari", "planner"),
        ("system:dips", "system"),
    ):
        ask = caller(who)
        for thing in (f"tasks/{task.id}", f"appointments/{visit.id}"):
            for withheld, seen in ((True, 404), (False, 200)):
                done = ask.post(f"/v1/{path}/{thing}/withholding", {"withheld": withheld})
                assert (done.status_code, done.json()["withheld"]) == (200, withheld)
                assert mum.get(f"/v1/patient/{thing}").status_code == seen
    elsewhere = caller("planner:eva:other")
    answer = elsewhere.post(f"/v1/planner/tasks/{task.id}/withholding", {"withheld": False})
    assert answer.status_code == 404


def test_a_patient_is_told_who_may_act_for_them(world, caller):
    world.dips.register("p-1", identity="30108299920")
    made = world.dips.represent("p-1", "02013299997", "attorney", areas=("appointments",))
    answer = caller("patient:p-1").get("/v1/patient/representatives")
    (told,) = answer.json()["representatives"]
    assert (told["id"], told["basis"], told["areas"]) == (made.id, "attorney", ["appointments"])
    assert "02013299997" not in answer.text
    others = caller("patient:p-2").get("/v1/patient/representatives").json()
    assert others["representatives"] == []

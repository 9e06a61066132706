"""Every use case as somebody calls it: about one thing in a state that allows it, or at large."""

from dataclasses import replace

from tests.integration.booking.ways import WAYS
from tests.world import ORGANISATION, document, oslo
from timevalg.booking import (
    amend,
    answer,
    attend,
    attendance,
    block,
    calendar_import,
    cancel,
    change,
    check,
    choose,
    clinic_edits,
    clinic_files,
    deceased,
    decline,
    due,
    examine,
    expire,
    export,
    feed,
    figures,
    forget,
    hold,
    inbox,
    invite,
    look,
    merge,
    mine,
    none_suits,
    opening,
    own,
    parked,
    prepare,
    publish,
    purge,
    regain,
    remind,
    replan,
    represent,
    reserves,
    seal,
    search,
    settle_offers,
    sync,
    take_up,
    tell_systems,
    tidy,
    undo,
    verification,
    whatif,
    work,
    write,
)
from timevalg.booking import (
    rights as given_rights,
)
from timevalg.booking.access import ACCESS
from timevalg.clinic import from_sources
from timevalg.model.contents import Source
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.records import Owner, Patient
from timevalg.model.representation import Basis
from timevalg.model.right import Right, Unit
from timevalg.model.states import TaskState

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
MARK = "mark for verification"
DAY = AT.date()
FILE = clinic_files.GivenFile(document(), {})
ROOM = {"doctor": ("dr-a",), "room": ("room",)}


def files():
    source = document()
    return from_sources({"clinic": Source(source, {})})


def fresh(world):
    spare = world.read(lambda unit: unit.tasks.find(patient="spare"))[0]
    return replace(spare, id="t-new", state=TaskState.DRAFT, version=1)


def about_task(verb, function, state="open", *more):
    def call(world, who, key):
        return function(world.ports, who, key, *more)

    return verb, state, lambda w: WAYS[state](w).id, call


def about_visit(verb, function, state="confirmed", *more):
    def call(world, who, key):
        return function(world.ports, who, key, *more)

    return verb, state, lambda w: w.visit(WAYS[state](w)).id, call


def about_preparation(verb, function):
    def key(world):
        return world.preparations(world.visit(WAYS["confirmed"](world)))[0].id

    return verb, "confirmed", key, lambda w, who, k: function(w.ports, who, k)


def own_right(world, who):
    """A right of whoever acts, which they may give on."""
    if who.organisation != ORGANISATION:
        return "r-none"
    key = world.ports.keys.new("right")
    now = world.clock.now(None)
    right = Right(key, ORGANISATION, who.id, who.role, now, now, "x", may_delegate=True)
    world.store.run(ORGANISATION, lambda unit: unit.rights.add(right))
    return key


def giving(world, who):
    gift = given_rights.Gift("hpr:1", who.role if who.role in ACCESS["give right"] else "system")
    return given_rights.give_right(world.ports, who, gift, own_right(world, who))


def registered(world):
    return world.dips.register("p-9", identity="02013299997").identity


def bound(world, who):
    """A representation; none where its making would be seen as a change."""
    if who.role not in ACCESS["end representation"]:
        return "r-none"
    return world.dips.represent("p-9", "02013299997", "attorney").id


def emptied(world, who):
    """An organisation that has nobody yet can be marked; this one has."""
    nobody = replace(who, organisation="777777777") if who.role in ACCESS[MARK] else who
    return verification.mark_for_verification(world.ports, nobody)


def asked(world):
    return world.invite(mode="request").task.id


def subscription(world, clinics=None):
    """A receiver that wants everything, from the beginning of the feed."""
    who = Principal("dips", RoleName.SYSTEM, ORGANISATION, clinics=clinics)
    made = tell_systems.subscribe(world.ports, who, "https://dips.test/", "DIPS", after="")
    return made.id


def delivery(world):
    """A delivery to a receiver that has ended its subscription: it is stopped."""
    WAYS["open"](world)
    key = subscription(world)
    tell_systems.pass_on_events(world.ports, worker(ORGANISATION), key)
    tell_systems.end_subscription(world.ports, principal(RoleName.SYSTEM), key)
    return world.read(lambda unit: unit.deliveries.find())[0].id


def some_work(world):
    WAYS["open"](world)
    return world.read(lambda unit: unit.work.find(state="waiting"))[0].id


def without_room(world):
    visit = world.visit(WAYS["confirmed"](world))
    source = document()
    day = visit.start.date()
    source["resources"][2]["away"] = [{"from": day, "to": day}]
    world.publish(source)
    return visit.id


def letter(world):
    WAYS["open"](world)
    world.work()
    return world.letters()[0].id


def clinic_with_two_versions(world):
    world.invited()
    source = document()
    source["resources"][0]["away"] = [{"from": "2027-05-03", "to": "2027-05-04"}]
    world.publish(source)
    return "clinic"


def declined_case(world):
    WAYS["declined"](world)
    return world.cases("declined")[0].id


def sought(key):
    return search.Sought("clinic", "" if key.startswith("t-") else "auto", key)


def blocking(world, who, clinic):
    return block.block(world.ports, who, clinic, ["dr-b"], AT, LATER, "a course")


def blocked(world):
    world.invited()
    return world.desk.block("clinic", ["dr-b"], AT, LATER, reason="a course").id


ABOUT_ONE = [
    ("ask", "draft", asked, lambda w, who, k: invite.ask_for_time(w.ports, who, k)),
    ("rebook", "confirmed", without_room, lambda w, who, k: replan.rebook(w.ports, who, k)),
    about_task("amend", amend.amend, "open", {"priority": 1}),
    about_task("open", opening.open_task, "scheduled"),
    about_task("read", feed.read_task),
    about_task("list offers", look.list_offers),
    about_visit("list offers to change", look.list_offers_to_change),
    about_task("settle offers", settle_offers.settle_offers),
    about_task("tidy places", tidy.tidy_places),
    about_task("hold", hold.hold, "open", AT),
    about_task("renew hold", hold.renew_hold, "open", AT),
    about_task("choose", choose.choose, "open", AT),
    ("unblock", "open", blocked, lambda w, who, k: block.unblock(w.ports, who, k)),
    ("block", "open", lambda w: w.invited() and "clinic", blocking),
    about_task("withhold", lambda p, who, k: represent.withhold(p, who, "task", k, True)),
    about_task("search", lambda ports, who, k: search.search(ports, who, sought(k))),
    about_task("explain", lambda ports, who, k: search.explain(ports, who, sought(k))),
    ("close case", "open", declined_case, lambda w, who, k: inbox.close_case(w.ports, who, k)),
    *(
        (verb, "open", clinic_with_two_versions, call)
        for verb, call in (
            ("read clinic file", lambda w, who, k: clinic_files.read_version(w.ports, who, k)),
            ("roll back", lambda w, who, k: clinic_files.roll_back(w.ports, who, k, 1)),
            (
                "switch pool",
                lambda w, who, k: clinic_edits.switch_pool(w.ports, who, k, "manual", False),
            ),
            (
                "add absence",
                lambda w, who, k: clinic_edits.add_absence(w.ports, who, k, "dr-b", DAY, DAY),
            ),
            (
                "remove absence",
                lambda w, who, k: clinic_edits.remove_absence(w.ports, who, k, "dr-a", 0),
            ),
            (
                "attendance list",
                lambda w, who, k: attendance.attendance_list(w.ports, who, k, DAY),
            ),
        )
    ),
    about_task("none suits", none_suits.none_suits),
    about_task("decline", decline.decline),
    about_task("check", check.check, "chosen", True),
    about_visit("accept", answer.accept, "chosen"),
    about_visit("refuse", answer.refuse, "chosen", "no"),
    about_visit("acknowledge", attend.acknowledge),
    about_visit("change", change.change, "confirmed", LATER),
    about_visit("cancel", cancel.cancel),
    about_visit("move", change.move, "confirmed", LATER),
    about_task("fall due", due.fall_due),
    about_task("assign", due.assign, "with-staff", AT, ROOM),
    about_task("keep waiting", due.keep_waiting, "with-staff", "later"),
    about_task("hand to staff", take_up.hand_to_staff),
    about_task("reopen", take_up.reopen, "with-staff"),
    about_task("undo", undo.undo, "confirmed", "wrong"),
    (
        "withdraw",
        "open",
        lambda w: WAYS["open"](w).id,
        lambda w, who, k: cancel.withdraw(w.ports, who, task=k),
    ),
    about_preparation("complete preparation", prepare.complete_preparation),
    about_preparation("follow preparation", prepare.follow_preparation),
    about_visit("arrive", attend.arrive),
    about_visit("remind", remind.remind, "confirmed", 0),
    about_visit("no show", attend.no_show),
    (
        "fulfil",
        "confirmed",
        lambda w: w.desk.arrive(w.visit(WAYS["confirmed"](w))).id,
        lambda w, who, k: attend.fulfil(w.ports, who, k),
    ),
    (
        "write letter",
        "open",
        lambda w: WAYS["open"](w).id,
        lambda w, who, k: write.write_letter(w.ports, who, "choice", k),
    ),
    ("send letter", "open", letter, lambda w, who, k: write.send_letter(w.ports, who, k)),
    ("deliver", "open", delivery, lambda w, who, k: tell_systems.deliver(w.ports, who, k)),
    (
        "settle work",
        "open",
        some_work,
        lambda w, who, k: parked.drop_work(w.ports, who, k, "not needed"),
    ),
    (
        "pass on events",
        "open",
        lambda w: subscription(w, clinics=frozenset({"clinic"})),
        lambda w, who, k: tell_systems.pass_on_events(w.ports, who, k),
    ),
    (
        "end subscription",
        "open",
        lambda w: subscription(w, clinics=frozenset({"clinic"})),
        lambda w, who, k: tell_systems.end_subscription(w.ports, who, k),
    ),
]
"""Verb, state, a way to the id of such a thing of patient p-1, and the call."""

AT_LARGE = {
    "publish": lambda w, who: publish.publish(w.ports, who, files()),
    "invite": lambda w, who: invite.invite(w.ports, who, [fresh(w)]),
    "list reserves": lambda w, who: reserves.list_reserves(w.ports, who),
    "replan": lambda w, who: replan.replan(w.ports, who),
    "what if": lambda w, who: whatif.what_if(w.ports, who, files()),
    "plan invitations": lambda w, who: invite.plan_invitations(w.ports, who, [fresh(w)]),
    "regain places": lambda w, who: regain.regain_places(w.ports, who),
    "expire holds": lambda w, who: expire.expire_holds(w.ports, who),
    "forget answers": lambda w, who: forget.forget_answers(w.ports, who),
    "set owner": lambda w, who: own.set_owner(w.ports, who, Owner.TIMEVALG),
    "examine": lambda w, who: examine.examine(w.ports, who),
    "import": lambda w, who: calendar_import.import_calendar(w.ports, who, [(1, "wrong")]),
    "merge": lambda w, who: merge.merge(w.ports, who, "p-8", "p-9"),
    "deceased": lambda w, who: deceased.deceased(w.ports, who, "p-9"),
    "sync": lambda w, who: sync.sync(w.ports, who, [sync.CalendarRow("r", 1, deleted=True)]),
    "read events": lambda w, who: feed.read_events(w.ports, who),
    "register patient": lambda w, who: feed.register_patient(
        w.ports, who, Patient("p-9", ORGANISATION)
    ),
    "do work": lambda w, who: work.do_work(w.ports, who, w.read(lambda u: u.work.find())[0].id),
    "seal audit": lambda w, who: seal.seal_audit(w.ports, who),
    "verify audit": lambda w, who: seal.verify_audit(w.ports, who),
    "list tasks": lambda w, who: mine.list_tasks(w.ports, who),
    "list appointments": lambda w, who: mine.list_appointments(w.ports, who),
    "read access log": lambda w, who: mine.read_access_log(w.ports, who),
    "subscribe": lambda w, who: tell_systems.subscribe(w.ports, who, "https://dips.test/", "DIPS"),
    "list subscriptions": lambda w, who: tell_systems.list_subscriptions(w.ports, who),
    "look at work": lambda w, who: parked.depths(w.ports, who),
    "register representation": lambda w, who: represent.register_representation(
        w.ports, who, represent.Bond("p-9", "02013299997", Basis.ATTORNEY)
    ),
    "end representation": lambda w, who: represent.end_representation(w.ports, who, bound(w, who)),
    "list representations": lambda w, who: represent.list_representations(w.ports, who, "p-1"),
    "purge": lambda w, who: purge.purge(w.ports, who, apply=True),
    "export own": lambda w, who: (
        who.role == "patient" and w.invited("p-1"),
        export.export_own(w.ports, who),
    ),
    "export patient": lambda w, who: export.export_patient(w.ports, who, "spare"),
    "find patient": lambda w, who: feed.find_patient(
        w.ports, who, (who.role in ACCESS["find patient"] and registered(w)) or "02013299997"
    ),
    "give right": giving,
    "revoke right": lambda w, who: given_rights.revoke_right(w.ports, who, own_right(w, who)),
    "list rights": lambda w, who: given_rights.list_rights(w.ports, who),
    "set unit": lambda w, who: given_rights.set_unit(
        w.ports, who, Unit("u-1", ORGANISATION, "Medicine", ("clinic",))
    ),
    "mark for verification": lambda w, who: emptied(w, who),
    "staff list": lambda w, who: inbox.staff_list(w.ports, who),
    "figures": lambda w, who: figures.figures(w.ports, who, DAY, DAY),
    "list letters": lambda w, who: mine.list_letters(w.ports, who),
    "check clinic file": lambda w, who: clinic_files.check_file(w.ports, who, "clinic", FILE),
    "compare clinic files": lambda w, who: clinic_files.compare(w.ports, who, "clinic", FILE),
    "publish clinic file": lambda w, who: clinic_files.publish_file(w.ports, who, "clinic", FILE),
}


def principal(role, **more):
    own = {"patient": "p-1"} if role in {RoleName.PATIENT, RoleName.REPRESENTATIVE} else {}
    return Principal(f"a {role}", role, ORGANISATION, **{**own, **more})

"""Letters as the tests of them see them: what has left, and a visit that a letter has told."""

from tests.world import oslo

AT, LATER, LATEST = (oslo(2027, 1, day, 9) for day in (20, 21, 22))


def sent(world, patient="p-1"):
    """Give the kinds of the letters that have left to a patient, in order."""
    return [letter.kind for letter in world.post.sent if letter.patient == patient]


def told(world, **more):
    """A visit whose letter has gone."""
    visit = world.patient().choose(world.invited(**more), AT)
    world.work()
    return world.desk.appointment(visit.id)


def flat(letter):
    """Give a letter's text in one line."""
    return " ".join(letter.text.split())

"""A worker of an older version: it has never heard of letters."""

import sys

import workers
from timevalg.booking.work import KINDS
from timevalg.cli import main
from workers.actors import BY_KIND

for kind in ("letter", "send letter"):
    del KINDS[kind]
    del workers.broker.actors[BY_KIND.pop(kind).actor_name]

if __name__ == "__main__":
    sys.argv = ["timevalg", "worker"]
    main()

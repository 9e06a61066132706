"""``python -m timevalg.cli``."""

from timevalg.cli import main

main()

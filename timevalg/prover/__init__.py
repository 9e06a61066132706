"""CP-SAT behind a port: the model, its limits, and the process it runs in.

``ortools`` is imported in that process alone; importing this package loads nothing of it.
"""

from timevalg.prover.limits import Limits
from timevalg.prover.outside import CpSat

__all__ = ["CpSat", "Limits"]

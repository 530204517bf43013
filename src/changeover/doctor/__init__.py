"""Examines an environment and says what to do (D-1 … D-15); it writes nothing outside.

It stands beside the controller and not among `ops`: its checks ask the base, the feeds and the engine, which `ops`
must not know.
"""

from changeover.doctor.examination import examine
from changeover.doctor.result import Level, Result

__all__ = ["Level", "Result", "examine"]

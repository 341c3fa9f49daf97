"""The clinic: from a symptom, a configuration, a trace or a URL to the likeliest cause, and what mends it.

asked.py      what was given, and whom to ask
diagnosis.py  the answer: cause, who, clause, change, proof
mending.py    remedies for a configuration, tried one by one and together until the upgrade goes through
traces.py     what a trace tells
"""

from labkit.clinic.asked import why
from labkit.clinic.diagnosis import Diagnosis

__all__ = ["Diagnosis", "why"]

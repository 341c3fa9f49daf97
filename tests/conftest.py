"""One profile for Hypothesis: what it checks may be slow on a busy machine, and is not timed."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("labkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("labkit")

"""The rules of `labkit.rules.relay`, shown."""

from __future__ import annotations

from tests.rules.traces import Example

EXAMPLES: dict[str, Example] = {}

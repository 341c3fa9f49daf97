"""The rules of `labkit.rules.opening`, shown."""

from __future__ import annotations

from tests.rules.traces import Example

EXAMPLES: dict[str, Example] = {}

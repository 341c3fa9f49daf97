"""The rules of `labkit.rules.h2c`, shown."""

from __future__ import annotations

from tests.rules.traces import Example

EXAMPLES: dict[str, Example] = {}

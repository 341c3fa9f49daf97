"""The rules of `labkit.rules.http`, shown."""

from __future__ import annotations

from tests.rules.traces import REQUEST, Example, switched, without

EXAMPLES: dict[str, Example] = {
    "G02": Example(switched(), switched(request=without(REQUEST, "Connection")), "no connection option `upgrade`"),
}

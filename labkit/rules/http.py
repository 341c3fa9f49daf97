"""Rules of the Upgrade field, the 101 and the other answers (RFC 9110, RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.rules.evidence import Asked, each_exchange
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.wire.upgrade import options

__all__ = ["HTTP"]


@each_exchange
def _upgrade_without_option(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        if "Upgrade" in head.fields and "upgrade" not in options(head.fields):
            yield head.line("Upgrade", "an Upgrade field, and no connection option `upgrade`")


HTTP: tuple[Rule, ...] = (
    Rule(
        "G02", Who.SENDER, "RFC 9110, 7.8", Level.MUST,
        "Who sends an Upgrade field names it in the Connection field, too: it is for the next party alone.",
        mend="add `Connection: Upgrade`", switch=True, check=_upgrade_without_option,
    ),
)  # fmt: skip

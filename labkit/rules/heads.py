"""Rules of the grammar of heads, of Host and of how content is framed (RFC 9110, RFC 9112)."""

from __future__ import annotations

from labkit.rules.rule import Rule

__all__ = ["HEADS"]

HEADS: tuple[Rule, ...] = ()

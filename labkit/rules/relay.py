"""Rules of connection options and of the proxies between client and server (RFC 9110, 7.6)."""

from __future__ import annotations

from labkit.rules.rule import Rule

__all__ = ["RELAY"]

RELAY: tuple[Rule, ...] = ()

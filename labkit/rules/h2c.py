"""Rules of h2c, of TLS by Upgrade, and of bytes that are sent before the answer (RFC 7540, 2817, 9931)."""

from __future__ import annotations

from labkit.rules.rule import Rule

__all__ = ["H2C"]

H2C: tuple[Rule, ...] = ()

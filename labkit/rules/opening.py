"""Rules of WebSocket's opening handshake (RFC 6455, 4)."""

from __future__ import annotations

from labkit.rules.rule import Rule

__all__ = ["OPENING"]

OPENING: tuple[Rule, ...] = ()

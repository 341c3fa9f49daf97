"""Rules of WebSocket frames, messages and the closing handshake (RFC 6455, 5 to 8; RFC 7692)."""

from __future__ import annotations

from labkit.rules.rule import Rule

__all__ = ["FRAMES"]

FRAMES: tuple[Rule, ...] = ()

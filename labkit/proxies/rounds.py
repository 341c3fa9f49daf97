"""What a proxy did with each request, kept for those who ask afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from labkit.proxies.model import Forward, Own, Relay, Request
from labkit.wire.http1 import ResponseHead

__all__ = ["Round"]


@dataclass
class Round:
    """One request on its way, and what became of it: what the X-ray shows.

    Args:
        request: as it came.
        forward: as it went on; None where the proxy answered itself.
        relays: each answer of the upstream's with what was made of it.
        own: the proxy's own answer; None where it relayed one.
    """

    request: Request
    forward: Forward | None = None
    relays: list[tuple[ResponseHead, Relay]] = field(default_factory=list)
    own: Own | None = None

    def drop_content(self) -> None:
        """Keep the heads alone, once all is done: a connection may carry many requests."""
        self.request = self.request._replace(content=b"")
        if self.forward is not None:
            self.forward = replace(self.forward, content=b"")

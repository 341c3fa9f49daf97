"""Who answers in place of example.com: the lab's own server, by libcurl's CONNECT_TO, so that not a byte changes."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import urlsplit

from labkit.errors import Refused, WrongUse
from labkit.net.address import AS_WRITTEN, bracketed, place
from labkit.net.listener import Listener
from labkit.net.reach import NOBODY, connect_to, standing

__all__ = ["answered_by", "entries_for"]


class answered_by:  # noqa: N801  it is called like a function
    """Say which of several servers answers for every host that is not loopback; with `with`, for a while.

    Where one server runs, nothing needs to be said: it answers. Hosts of loopback (127.0.0.1, localhost, ::1) are
    always dialled as they are written.

    Args:
        listener: a running UpgradeServer or Tap; None for whichever runs.

    Raises:
        WrongUse: it does not run.
    """

    chosen: ClassVar[Listener | None] = None

    def __init__(self, listener: Listener | None) -> None:
        if listener is not None and not (isinstance(listener, Listener) and listener.running):
            raise WrongUse(f"answered_by takes a running UpgradeServer or Tap, not {listener!r}")
        self._before = answered_by.chosen
        answered_by.chosen = listener

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        answered_by.chosen = self._before


def entries_for(url: str) -> list[str]:
    """Return where a transfer is to connect, as CONNECT_TO has it (CURLOPT_CONNECT_TO(3)).

    Args:
        url: what it asks for first; a redirect may name another host, which the same server answers.

    Raises:
        Refused: nobody runs that could answer.
        WrongUse: several servers run, and none was chosen.
    """
    servers = _candidates()
    host = _host(url)
    if host and bracketed(host) not in AS_WRITTEN:
        if not servers:
            raise Refused(f"no lab server runs that could answer for {host}: start one, with labkit.UpgradeServer()")
        if len(servers) > 1:
            raise WrongUse(f"{len(servers)} servers run here: say which answers for {host}, with answered_by(server)")
    return [*connect_to(place(servers[0].host, servers[0].port) if len(servers) == 1 else NOBODY)]


def _candidates() -> list[Listener]:
    if answered_by.chosen is not None:
        if not answered_by.chosen.running:
            raise WrongUse("the server that answered_by named has stopped: name another, or None")
        return [answered_by.chosen]
    return [*standing()]


def _host(url: str) -> str:
    """Return the host of a URL, as far as it is one; libcurl says itself what is wrong with another."""
    try:
        return urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""

"""The channel that a notebook's own cells travel on: it began with a 101, and is asked for once more."""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from labkit.dissection.secrets import masked
from labkit.net.address import place
from labkit.net.machine import IN_BROWSER
from labkit.recording import Recording
from labkit.trace import Cut, Direction, End, Hop, How, Trace
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, head_length
from labkit.wire.websocket import CLOSE, close_payload, frame, scan

__all__ = ["NoChannel", "kernel_upgrade"]

_SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
_PATIENCE = 3.0  # seconds for each answer
_LINGER = 1.0  # seconds for the server's side of the closing handshake
_LIMIT = 1 << 16  # bytes, both ways
_HERE = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  told, not bound
_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}


@dataclass(frozen=True, slots=True)
class NoChannel:
    """Why there is no channel to show; draws as its one sentence."""

    reason: str

    def __str__(self) -> str:
        return self.reason

    __repr__ = __str__


class _Server(NamedTuple):
    """A Jupyter server on this machine, as it describes itself in its runtime folder."""

    address: str
    port: int
    base: str
    token: str

    @property
    def host(self) -> str:
        return place(self.address, self.port)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"} if self.token else {}


def kernel_upgrade() -> Trace | NoChannel:
    """Open the channel that this notebook's own cells travel on once more, and return what crossed.

    A second client asks the Jupyter server for this kernel's channel, reads the answer and closes
    again; the notebook's own connection is not touched. The server's token, its cookie and what the
    kernel says to its clients are not in the trace.

    Returns:
        The trace of one opening handshake (RFC 6455, 4) and its closing handshake; outside JupyterLab,
        where no Jupyter server stands between, one sentence that says so.
    """
    if IN_BROWSER:
        return NoChannel(
            "This notebook's kernel runs in the browser itself: no channel leads to it, and no 101 began one."
        )
    kernel = _own_kernel()
    if kernel is None:
        return NoChannel("No kernel runs this code, so there is no kernel channel to show.")
    for server in _servers():
        if _has_kernel(server, kernel):
            try:
                return masked(_recorded(server, kernel))
            except OSError as error:
                return NoChannel(f"The Jupyter server that has this kernel broke off: {error}.")
    return NoChannel("No Jupyter server stands before this kernel, so there is no 101 to show: open it in JupyterLab.")


def _own_kernel() -> str | None:
    try:
        from ipykernel.connect import get_connection_file  # noqa: PLC0415  optional
    except ImportError:
        return None
    try:
        name = Path(get_connection_file()).name
    except RuntimeError:  # not inside a kernel
        return None
    match = re.fullmatch(r"kernel-([0-9A-Za-z-]+)\.json", name)
    return match[1] if match else None


def _servers() -> Iterator[_Server]:
    try:
        from jupyter_server.serverapp import list_running_servers  # noqa: PLC0415  optional
    except ImportError:
        return
    for told in list_running_servers():
        address = _LOOPBACK.get(_HERE.get(told.get("hostname", ""), told.get("hostname", "")))
        plain = not told.get("secure") and not told.get("sock")
        if address and plain and told.get("port"):
            # On a JupyterHub the server has no token of its own, and takes the hub's for this user.
            token = told.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", "")
            yield _Server(address, int(told["port"]), told.get("base_url") or "/", token)


def _has_kernel(server: _Server, kernel: str) -> bool:
    # http.client asks nobody about proxies: the token stays on this machine.
    connection = http.client.HTTPConnection(server.address, server.port, timeout=_PATIENCE)
    try:
        connection.request("GET", f"{server.base}api/kernels/{kernel}", headers=server.authorization)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _offer(server: _Server, kernel: str) -> bytes:
    fields = {
        "Host": server.host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode("ascii"),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": _SUBPROTOCOL,
        **server.authorization,
    }
    target = f"{server.base}api/kernels/{kernel}/channels"
    return RequestHead("GET", target, Fields.of(fields.items())).to_bytes()


def _recorded(server: _Server, kernel: str) -> Trace:
    recording = Recording(time.monotonic, limit=_LIMIT, hop=Hop("this cell", "Jupyter Server"))
    said, ended = b"", False
    with socket.create_connection((server.address, server.port), _PATIENCE) as wire:
        offer = _offer(server, kernel)
        recording.add(Direction.TO_SERVER, offer)
        wire.sendall(offer)
        answer, ended = _read(wire, _PATIENCE, lambda got: head_length(got) is not None)
        end = head_length(answer) or len(answer)
        if answer:
            recording.add(Direction.TO_CLIENT, answer[:end])
        if answer.startswith(b"HTTP/1.1 101 "):
            close = frame(CLOSE, close_payload(1000), mask=os.urandom(4))
            recording.add(Direction.TO_SERVER, close)
            wire.sendall(close)
            said, ended = _read(wire, _LINGER, lambda got: False)  # noqa: ARG005  to the end
            said = answer[end:] + said
    spoken = next((one.start for one in scan(said) if one.opcode < CLOSE), len(said))
    if spoken:
        recording.add(Direction.TO_CLIENT, said[:spoken])
    if ended:
        recording.end(Direction.TO_CLIENT, How.FIN)
    recording.end(Direction.TO_SERVER, How.FIN)
    trace = recording.trace("This notebook's own channel", "recorded by the kernel, on a second connection")
    return _cut(trace, len(said) - spoken)


def _cut(trace: Trace, length: int) -> Trace:
    """Say in the trace that the kernel spoke: `length` bytes of it crossed, and are nobody's to keep."""
    if not length:
        return trace
    place = next(at for at, event in enumerate(trace.events) if isinstance(event, End))
    cut = Cut(0, Direction.TO_CLIENT, length, trace.events[place].time)
    return replace(trace, events=(*trace.events[:place], cut, *trace.events[place:]))


def _read(wire: socket.socket, patience: float, enough: Callable[[bytes], bool]) -> tuple[bytes, bool]:
    """Read until there is enough, for `patience` seconds at most; tell also whether the end was seen."""
    got, until = b"", time.monotonic() + patience
    while not enough(got) and len(got) < _LIMIT and (left := until - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            data = wire.recv(_LIMIT - len(got))
        except TimeoutError:
            break
        except ConnectionError:
            return got, False
        if not data:
            return got, True
        got += data
    return got, False

r"""A container as a daemon gives its streams, after a switch to `tcp` (Docker Engine API, "Attach to a container").

    Server(protocols={"tcp": container})              101, and from there on the container's own bytes

Without a terminal, standard output and standard error come as one stream, in frames: 1 byte that says which it is,
3 zeros, 4 bytes of length.
"""

from __future__ import annotations

from labkit.errors import Failed
from labkit.parties.stream import Stream

__all__ = ["STDERR", "STDOUT", "container"]

STDOUT, STDERR = 1, 2
_LONGEST = 4096  # bytes of a line


def _frame(stream: int, text: bytes) -> bytes:
    return bytes((stream, 0, 0, 0)) + len(text).to_bytes(4, "big") + text


async def container(stream: Stream) -> None:
    r"""Be a container with a very small shell: it knows `echo`, and complains of all else.

    >>> import labkit
    >>> lab = labkit.Scenario(labkit.Offer.custom("tcp"), [b"echo hi\n"], server=labkit.Server({"tcp": container}))
    >>> labkit.simulate(lab).stream(labkit.Direction.TO_CLIENT)[-11:]
    b'\x01\x00\x00\x00\x00\x00\x00\x03hi\n'
    """
    left = b""
    async for data in stream:
        assert isinstance(data, bytes)
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            name, _, rest = line.partition(b" ")
            known = name == b"echo"
            text = rest + b"\n" if known else b"sh: " + name + b": not found\n"
            await stream.send(_frame(STDOUT if known else STDERR, text))
        if len(left) > _LONGEST:
            raise Failed(f"a line of the container's is at most {_LONGEST} bytes long")

r"""What the lesson on what comes after the switch has its parties do: handlers, for either side of a conversation.

    Scenario(say=sending(frame(PING)))       the client sends these bytes as they are, waits for an answer, and closes
    Scenario(say=listening)                  it only reads
    Scenario(say=pinging(5, 3))              it sends a Ping every 5 seconds, three times, and closes
    Server(protocols={"websocket": killed})  the server's program is killed behind its first answer

They run in memory and on sockets alike.
"""

from __future__ import annotations

from contextlib import suppress

from labkit.parties.stream import Handler, Stream, listening

__all__ = ["killed", "listening", "pinging", "sending"]

_PATIENCE = 5.0  # seconds for an answer


async def killed(stream: Stream) -> None:
    """Answer one message, and end as a program that is killed does: without a goodbye."""
    await stream.send(await stream.receive())
    await stream.hang_up()


def sending(*pieces: bytes) -> Handler:
    r"""Return a handler that sends these bytes, in no frame but the ones they are, waits for one message, and closes.

    >>> from labkit import Direction, Scenario, simulate
    >>> simulate(Scenario(say=sending(b"\x81\x80mask"))).stream(Direction.TO_CLIENT)[-6:]
    b'\x81\x00\x88\x02\x03\xe8'
    """

    async def send(stream: Stream) -> None:
        for piece in pieces:
            await stream.send_bytes(piece)
        with suppress(TimeoutError):
            await stream.receive(timeout=_PATIENCE)
        await stream.close()

    return send


def pinging(seconds: float, times: int) -> Handler:
    """Return a handler that sends a Ping every so many seconds, so many times, and then closes."""

    async def ping(stream: Stream) -> None:
        for _ in range(times):
            await stream.sleep(seconds)
            await stream.ping(b"still there?")
        await stream.close()

    return ping

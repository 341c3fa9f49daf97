"""The server that the lab's is held against: websockets' own, on asyncio, as a process.

It echoes without compression, says where it listens as `labkit serve` does, and ends with its input.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve

__all__ = ["main"]


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def _serve() -> None:
    async with serve(_echo, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until the input ends."""
    asyncio.run(_serve())


if __name__ == "__main__":
    main()

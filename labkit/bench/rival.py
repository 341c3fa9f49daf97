"""The servers that the lab's is held against, each as a process: `python -m labkit.bench.rival NAME`.

It echoes without compression, says where it listens as `labkit serve` does, and ends with its input. One that
is not installed says so instead, and how it can be.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from labkit.errors import Absent
from labkit.net.loop import new_loop

__all__ = ["ON_UVLOOP", "RIVALS", "main"]

_NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"
_NODE_HINT = f"install Node.js, then npm install --prefix {os.path.relpath(_NODE_MODULES.parent)} ws@8.23.0"


async def _websockets(door: socket.socket) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, sock=door, compression=None):
        await _until_told()


async def _aiohttp(door: socket.socket) -> None:
    from aiohttp import WSMsgType, web  # noqa: PLC0415  optional

    async def echo(request: web.Request) -> web.WebSocketResponse:
        stream = web.WebSocketResponse(compress=False)
        await stream.prepare(request)
        async for message in stream:
            if message.type is WSMsgType.TEXT:
                await stream.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await stream.send_bytes(message.data)
        return stream

    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.SockSite(runner, door).start()
    await _until_told()


async def _picows(door: socket.socket) -> None:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server  # noqa: PLC0415  optional

    class Echo(WSListener):  # type: ignore[misc]
        """Says what it hears, and answers a Close."""

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()
            else:
                transport.send(frame.msg_type, frame.get_payload_as_bytes())

    async with await ws_create_server(lambda _: Echo(), sock=door):
        await _until_told()


def _uvicorn(core: str) -> Callable[[socket.socket], Awaitable[None]]:
    """Return what serves an ASGI application with uvicorn, its WebSocket spoken by `core`."""

    async def application(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await send({**event, "type": "websocket.send"})

    async def run(door: socket.socket) -> None:
        import uvicorn  # noqa: PLC0415  optional

        settings = uvicorn.Config(
            application, ws=core, lifespan="off", log_level="critical", ws_per_message_deflate=False, access_log=False
        )
        server = uvicorn.Server(settings)
        serving = asyncio.ensure_future(server.serve(sockets=[door]))
        await _until_told()
        server.should_exit = True
        await serving

    return run


_NODE = "ws on Node"
_SERVERS: dict[str, tuple[Callable[[socket.socket], Awaitable[None]], str]] = {
    "websockets": (_websockets, "websockets"),
    "aiohttp": (_aiohttp, "aiohttp"),
    "picows on uvloop": (_picows, "picows uvloop"),
    "uvicorn, websockets": (_uvicorn("websockets-sansio"), "uvicorn"),
    "uvicorn, wsproto": (_uvicorn("wsproto"), "uvicorn wsproto"),
}  # by name: what serves on a socket, and what has to be installed for it

RIVALS = (*_SERVERS, _NODE)
"""The servers that the lab's is held against, by name."""

ON_UVLOOP = ("picows on uvloop",)
"""Those of them whose event loop is uvloop's."""


async def _until_told() -> None:
    """Wait for the end of the input."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until the input ends."""
    logging.disable()  # what they log would stand between the lines of the table
    name = sys.argv[1] if len(sys.argv) > 1 else "websockets"
    if name == _NODE:
        _node()
    run, needed = _SERVERS[name]
    door = socket.create_server(("127.0.0.1", 0), backlog=128)

    async def announced() -> None:
        running = asyncio.ensure_future(run(door))
        await asyncio.sleep(0.1)  # what is absent fails at once
        if not running.done():
            print(f"listening on http://127.0.0.1:{door.getsockname()[1]}", flush=True)
        await running

    try:
        with asyncio.Runner(loop_factory=lambda: new_loop(uvloop=name in ON_UVLOOP)) as runner:
            runner.run(announced())
    except (ImportError, Absent):
        print(f"absent: pip install {needed}", flush=True)


def _node() -> None:
    """Become Node's process: its server is in the script beside this file."""
    node = shutil.which("node")
    if node is None or not (_NODE_MODULES / "ws").is_dir():
        print(f"absent: {_NODE_HINT}", flush=True)
        sys.exit()
    os.environ["NODE_PATH"] = str(_NODE_MODULES)
    os.execv(node, [node, str(Path(__file__).with_suffix(".cjs"))])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()

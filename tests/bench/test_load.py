from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import pytest

import labkit
from labkit.bench import load
from labkit.dissection import dissect
from labkit.errors import Failed
from labkit.trace import How


@pytest.fixture
def server() -> Iterator[labkit.UpgradeServer]:
    with labkit.UpgradeServer(deflate="off") as running:
        yield running


async def backwards(stream: labkit.Stream) -> None:
    async for message in stream:
        await stream.send(message[::-1])


async def mute(stream: labkit.Stream) -> None:
    await stream.receive()


def test_echo_sends_every_message_and_takes_it_back(server: labkit.UpgradeServer) -> None:
    """All messages cross in both directions, each different, and the connection is closed as it should be."""
    assert load.echo(server.port, 300) > 0
    trace = server.trace
    there, back = (trace.stream(way) for way in labkit.Direction)
    assert there.count(b"\x81\xc0\x37\xfa\x21\x3d") == 300  # text of 64 bytes, masked
    assert back.count(b"\x81\x40") == 300
    assert [trace.end(way) for way in labkit.Direction] == [How.FIN, How.FIN]


def test_the_load_can_be_read_by_the_labs_own_dissector(server: labkit.UpgradeServer) -> None:
    """What the load sends breaks no rule of the wire: no span of its trace carries a fault."""
    load.echo(server.port, 3)
    assert "✗" not in str(server.trace.bytes())
    assert dissect(server.trace)


@pytest.mark.parametrize("handler", [backwards, mute])
def test_an_echo_that_is_none_is_found_out(handler: Callable[..., object]) -> None:
    """A server that answers something else, or too little, is no measurement but an error."""
    with (
        labkit.UpgradeServer(protocols={"websocket": handler}) as server,
        pytest.raises(Failed, match="not what was sent"),
    ):
        load.echo(server.port, 20)


def test_handshakes_are_whole(server: labkit.UpgradeServer) -> None:
    """Every handshake is a connection of its own, switched, and closed with a Close from both sides (RFC 6455, 7.1)."""
    assert load.handshakes(server.port, 60) > 0
    assert len(server.traces) == 60
    for trace in server.traces:
        answer = trace.stream(labkit.Direction.TO_CLIENT)
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert answer.endswith(b"\r\n\r\n\x88\x02\x03\xe8")


def test_a_handshake_that_is_declined_is_an_error() -> None:
    """A server that does not switch is not measured."""
    with labkit.UpgradeServer(paths=["/only"]) as server, pytest.raises(Failed, match="no switch"):
        load.handshakes(server.port, 1)


def test_orders_come_as_lines(
    server: labkit.UpgradeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line of input is an order and each gets a line of answer, also where it went wrong."""
    closed = labkit.UpgradeServer().start()
    port = closed.port
    closed.stop()
    orders = [
        {"order": "echo", "port": server.port, "count": 5},
        {"order": "handshakes", "port": server.port, "count": 5},
        {"order": "echo", "port": port, "count": 5},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(order) + "\n" for order in orders)))
    load.main()
    first, second, third = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["seconds"] > 0
    assert second["seconds"] > 0
    assert third["problem"].startswith("ConnectionRefusedError")

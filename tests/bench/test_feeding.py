from __future__ import annotations

from collections.abc import Callable

import pytest

import labkit
from labkit.bench.children import child
from labkit.bench.listening import listened
from labkit.errors import Failed


def test_every_message_is_heard_by_every_subscriber() -> None:
    """Of so many messages to so many subscribers none is lost, and each has a delay above 0."""
    with child("-m", "labkit.bench.feeding") as server:
        heard = listened(int(server.line().rpartition(":")[2]), 5, 10)
    assert heard["lost"] == 0
    assert len(heard["delays"]) == 50
    assert min(heard["delays"]) > 0


def test_lost_messages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that does not publish all it is given is found out."""
    monkeypatch.setattr("labkit.bench.listening._LAST_WAIT", 1.0)

    class Half(labkit.Feed):
        def _spread(self, message: str | bytes) -> None:
            if int(message[:20]) % 2:
                super()._spread(message)

    with labkit.UpgradeServer(protocols={"websocket": Half(producer="/publish")}, deflate="off") as server:
        assert listened(server.port, 3, 10)["lost"] == 15


async def wrong(stream: labkit.Stream) -> None:
    await stream.sleep(0.1)  # after the switch was read
    await stream.send("x" * 64)
    await stream.receive()


async def leaves(stream: labkit.Stream) -> None:
    await stream.sleep(0.1)
    await stream.hang_up()


@pytest.mark.parametrize(("handler", "why"), [(wrong, "is no message"), (leaves, "disconnected")])
def test_another_answer_is_no_measurement(handler: Callable[..., object], why: str) -> None:
    """What is not what was published ends it with an error."""
    with (
        labkit.UpgradeServer(protocols={"websocket": handler}, deflate="off") as server,
        pytest.raises(Failed, match=why),
    ):
        listened(server.port, 1, 10)


def test_a_server_that_does_not_switch() -> None:
    """No switch is no feed."""
    with labkit.UpgradeServer(decline=403) as server, pytest.raises(Failed, match="is no switch"):
        listened(server.port, 1, 1)

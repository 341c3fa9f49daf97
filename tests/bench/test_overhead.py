from __future__ import annotations

import pytest

from labkit.bench.load import talk
from labkit.bench.overhead import overhead
from labkit.bench.served import told
from labkit.bench.ways import WAYS
from labkit.errors import WrongUse
from labkit.net.server import UpgradeServer
from labkit.trace import Direction


def of(name: str, way: str, size: int | None = None) -> float:
    found = overhead([size or 64], [way]).named(name)
    assert len(found) == 1
    return found[0].median


@pytest.mark.parametrize(
    ("size", "header"), [(1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)], ids=lambda each: f"{each}"
)
def test_a_frame_costs_what_its_length_form_costs(size: int, header: int) -> None:
    """A message and its echo: two headers of 2, 4 or 10 bytes, and one masking key of 4 (RFC 6455, 5.2)."""
    for way in ("websocket-text", "websocket-binary"):
        assert of("on the wire", way, size) == 2 * header + 4


def test_raw_bytes_cost_nothing() -> None:
    """Bytes as they are add none, at any size up to 1 MiB."""
    assert of("on the wire", "raw", 1 << 20) == 0


def test_requests_cost_their_heads() -> None:
    """Two heads of fields for each message; a digit more in Content-Length is a byte more in both directions."""
    assert of("on the wire", "keep-alive", 100) - of("on the wire", "keep-alive", 99) == 2
    assert of("on the wire", "new-connection", 64) - of("on the wire", "keep-alive", 64) == 2 * len(
        "Connection: close\r\n"
    )


@pytest.mark.parametrize("way", [each for each in WAYS if each not in ("websocket-deflate", "new-connection")])
def test_it_is_what_crosses_on_sockets(way: str) -> None:
    """What is counted in memory is what the load and the real server exchange, to the byte."""
    sizes = [_crossed(way, most) for most in (1, 2)]
    assert sizes[1] - sizes[0] - 2 * 64 == of("on the wire", way, 64)


def _crossed(way: str, most: int) -> int:
    with UpgradeServer(told()) as server:
        talk("turns", way, server.port, size=64, connections=1, seconds=60.0, most=most)
        return sum(len(trace.stream(each)) for trace in server.watch().traces() + server.traces for each in Direction)


def test_it_is_the_same_every_time() -> None:
    """It depends on no clock and no chance: it may stand in a notebook's output."""
    assert overhead([64]) == overhead([64])
    assert len(overhead([64]).measurements) == 2 * len(WAYS)


def test_an_unknown_way_is_wrong_use() -> None:
    """The complaint names what there is."""
    with pytest.raises(WrongUse, match="keep-alive"):
        overhead([64], ["telepathy"])

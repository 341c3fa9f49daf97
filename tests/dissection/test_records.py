"""Records of TLS and of a container's streams: they lie side by side, and whatever the bytes are, none is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.dissection.records import stream_frames, tls_records
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

HELLO = bytes.fromhex("16 0301 0008 01000004 03030102")
CHANGE = bytes.fromhex("14 0303 0001 01")
SECRET = bytes.fromhex("16 0303 0004 deadbeef")
DATA = bytes.fromhex("17 0303 0003 a0b0c0")
OUT, ERR = b"\1\0\0\0\0\0\0\3hi\n", b"\2\0\0\0\0\0\0\4oh!\n"


def labels(data: bytes) -> list[str]:
    return [part.label for part in tls_records(data, 0)]


def holds(parts, data: bytes, start: int = 0) -> int:
    """Check that the leaves stand side by side from `start`; return where they end."""
    leaves = [leaf for part in parts for leaf in part.span().leaves()]
    assert all(one.end == other.start for one, other in pairwise(leaves))
    assert not leaves or leaves[0].start == start
    assert all(leaf.start < leaf.end <= len(data) for leaf in leaves)
    return leaves[-1].end if leaves else start


def test_what_a_record_is():
    """Each kind is named; behind a change of cipher a handshake is encrypted (RFC 8446, 5.1)."""
    assert labels(HELLO + CHANGE + SECRET + DATA) == [
        "TLS record: ClientHello", "TLS record: change cipher spec", "TLS record: handshake, encrypted",
        "TLS record: application data",
    ]  # fmt: skip


def test_several_messages_in_a_record_and_one_in_several():
    """Handshake messages do not care for records: two in one, and one over two (RFC 8446, 5.1)."""
    assert labels(bytes.fromhex("16 0303 0008 02000000 0e000000")) == ["TLS record: ServerHello, ServerHelloDone"]
    long = bytes.fromhex("16 0303 0006 0b000006 aabb  16 0303 0008 ccddeeff 0e000000")
    assert labels(long) == ["TLS record: Certificate", "TLS record: handshake, continued, ServerHelloDone"]
    assert holds(tls_records(long, 0), long) == len(long)


@pytest.mark.parametrize("size", range(1, len(HELLO + CHANGE)))
def test_a_record_that_is_cut_short(size):
    """Wherever the bytes end, they are all in leaves, and the last record says that it is cut."""
    data = (HELLO + CHANGE)[:size]
    parts = tls_records(data, 0)
    assert holds(parts, data) == size
    assert bool(parts[-1].fault) is (size != len(HELLO))


@given(st.binary(max_size=80), st.integers(0, 5))
def test_whatever_the_bytes_are(data, start):
    """Nothing is raised; what is taken lies side by side (laws 1 and 2)."""
    for read in (tls_records, stream_frames):
        for whole in (data, HELLO + data, OUT + data):
            holds(read(whole, min(start, len(whole))), whole, min(start, len(whole)))


def test_what_is_no_record_is_left():
    """Records end where the bytes have no record's shape; a length that none can have is none."""
    assert holds(tls_records(HELLO + b"hello", 0), HELLO + b"hello") == len(HELLO)
    assert tls_records(bytes.fromhex("17 0303 ffff 00"), 0) == []


def test_streams_of_a_container():
    """Standard output and error are told apart, where all bytes have the shape; raw ones stay as they are."""
    assert [part.label for part in stream_frames(OUT + ERR, 0)] == ["stdout", "stderr"]
    assert holds(stream_frames(OUT + ERR, 0), OUT + ERR) == len(OUT + ERR)
    for raw in (OUT + b"$ ", b"\3" + OUT[1:], b"\1\1" + OUT[2:], OUT[:-1]):
        assert stream_frames(raw, 0) == []


def test_in_a_trace():
    """After a switch to tcp the frames are parts of the direction, in the clear."""

    async def attach(stream):
        await stream.send(OUT + ERR)

    server = Server(protocols={"tcp": attach})
    view = dissect(simulate(Scenario(Offer.custom("tcp"), [], server=server))).hops[0]
    assert [part.label for part in view.parts[Direction.TO_CLIENT][1:]] == ["stdout", "stderr"]

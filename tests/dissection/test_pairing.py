"""Both sides of a proxy: which exchange went on as which."""

from __future__ import annotations

import time

from labkit.dissection import dissect
from labkit.dissection.pairing import Pair, pairs
from labkit.trace import Direction, Hop, Trace, Transfer

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT
NEAR, FAR = Hop("client", "proxy"), Hop("proxy", "server")


def request(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def answer(status: int) -> bytes:
    return f"HTTP/1.1 {status} \r\nContent-Length: 0\r\n\r\n".encode()


def found(*turns: tuple[int, Direction, bytes], hops: tuple[Hop, ...] = (NEAR, FAR)) -> list[tuple[int, int, int, int]]:
    return [tuple(pair) for pair in pairs(dissect(Trace(tuple(Transfer(*turn) for turn in turns), hops)))]


def test_one_exchange_is_its_twin():
    """What came in and what went on are a pair, with their hops and places."""
    assert found((0, ASK, request("/")), (1, ASK, request("/"))) == [Pair(0, 0, 1, 0)]


def test_as_many_exchanges_are_paired_in_order_whenever_they_were_recorded():
    """A trace whose hops were recorded one after the other tells nothing by its moments, and need not."""
    near = (0, ASK, request("/a") + request("/b")), (0, REPLY, answer(200) * 2)
    far = (1, ASK, request("/a") + request("/b")), (1, REPLY, answer(200) * 2)
    assert found(*near, *far) == [(0, 0, 1, 0), (0, 1, 1, 1)]


def test_what_the_proxy_answered_itself_went_nowhere():
    """A 404 of the proxy's own is in no pair; the request behind it is paired with what it became."""
    assert found(
        (0, ASK, request("/nope")), (0, REPLY, answer(404)),
        (0, ASK, request("/")), (1, ASK, request("/")), (1, REPLY, answer(200)), (0, REPLY, answer(200)),
    ) == [(0, 1, 1, 0)]  # fmt: skip


def test_requests_that_came_at_once_are_told_apart_by_their_answers():
    """Of two requests in one read the first was answered before the far request went out."""
    assert found(
        (0, ASK, request("/nope") + request("/")), (0, REPLY, answer(404)),
        (1, ASK, request("/")), (1, REPLY, answer(200)), (0, REPLY, answer(200)),
    ) == [(0, 1, 1, 0)]  # fmt: skip


def test_two_legs_are_one_far_side():
    """A connection for each request: the second leg carries the second exchange."""
    assert found(
        (0, ASK, request("/a")), (1, ASK, request("/a")), (1, REPLY, answer(200)), (0, REPLY, answer(200)),
        (0, ASK, request("/b")), (2, ASK, request("/b")), (2, REPLY, answer(200)), (0, REPLY, answer(200)),
        hops=(NEAR, FAR, FAR),
    ) == [(0, 0, 1, 0), (0, 1, 2, 0)]  # fmt: skip


def test_a_request_that_was_sent_again_is_paired_twice():
    """A proxy that tries a second upstream has made two of one request."""
    assert found(
        (0, ASK, request("/")), (1, ASK, request("/")), (2, ASK, request("/")), (2, REPLY, answer(200)),
        (0, REPLY, answer(200)), hops=(NEAR, FAR, FAR),
    ) == [(0, 0, 1, 0), (0, 0, 2, 0)]  # fmt: skip


def test_two_connections_of_the_client_are_one_near_side():
    """Of two near legs the one whose request was under way is meant."""
    assert found(
        (0, ASK, request("/nope")), (0, REPLY, answer(404)),
        (1, ASK, request("/")), (2, ASK, request("/")), (2, REPLY, answer(200)), (1, REPLY, answer(200)),
        hops=(NEAR, NEAR, FAR),
    ) == [(1, 0, 2, 0)]  # fmt: skip


def test_a_chain_is_paired_hop_by_hop():
    """Through two proxies each pair stands for one of them."""
    hops = (Hop("client", "one"), Hop("one", "two"), Hop("two", "server"))
    assert found(*((hop, ASK, request("/")) for hop in range(3)), hops=hops) == [(0, 0, 1, 0), (1, 0, 2, 0)]


def test_a_request_out_of_nowhere_is_in_no_pair():
    """What went out when no near request was under way, a health check say, is left alone."""
    assert found(
        (1, ASK, request("/health")), (1, REPLY, answer(200)),
        (0, ASK, request("/")), (1, ASK, request("/")), (1, REPLY, answer(200)), (0, REPLY, answer(200)),
    ) == [(0, 0, 1, 1)]  # fmt: skip


def test_answers_without_requests_pair_with_nothing_that_has_one():
    """Where requests are missing nothing is guessed."""
    assert found((0, ASK, request("/a")), (1, REPLY, answer(200) * 2)) == []


def test_many_exchanges_take_no_longer_for_each():
    """Thousands of requests in one read, and one fewer behind the proxy, are paired at once."""
    asks = (Transfer(0, ASK, request("/") * 3000), Transfer(1, ASK, request("/") * 2999))
    taken_apart = dissect(Trace(asks, (NEAR, FAR)))
    began = time.process_time()
    assert len(pairs(taken_apart)) == 2999
    assert time.process_time() - began < 1

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic, sleep

import pytest

import labkit
from labkit.cases.clients import AnswerCase, answers, keeps
from labkit.cases.corpus import PLAIN, Judged, Standing, cases, judge, outcome, predict
from labkit.dissection import Dissection, dissect
from labkit.errors import Refused, WrongUse
from labkit.net.address import parse_address
from labkit.net.client import exchange
from labkit.net.corpus import run_case, run_corpus
from labkit.parties.described import Server
from labkit.render.corpus import corpus_line, corpus_summary
from labkit.trace import Direction, How, Trace

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")

BY_ID = {case.id: case for case in cases()}
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
BARE_101 = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection in turn by a function of its socket."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def work() -> None:
            while True:
                try:
                    connection, _ = door.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield f"127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
        data += more
    return data


def always(answer: bytes) -> Callable[[socket.socket], None]:
    """Answer everything alike, and close."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return serve


# the lab's own server


@pytest.fixture(scope="module")
def own():
    with labkit.UpgradeServer() as server:
        return run_corpus(server.url, patience=5)


def test_the_real_server_is_within(own):
    """UpgradeServer is within the RFCs in every case, and against no SHOULD."""
    assert [(row.case.id, str(row.outcome), row.note) for row in own if row.standing is not Standing.WITHIN] == []
    assert len(own) == len(cases()) >= 150
    assert own.note == ""


def test_real_and_simulated_agree(own):
    """What is predicted in memory is what the real server did, case by case; but where it may wait, it may be asked."""
    waits = {case.id for case in cases() if case.wait}
    predicted = {case.id: str(outcome(predict(case, Server()))) for case in cases()}
    assert {row.case.id: str(row.outcome) for row in own if row.case.id not in waits} == {
        each: word for each, word in predicted.items() if each not in waits
    }


def test_drawn(own):
    """Each case is a line with its outcome, standing and clause; the count says what it comes to."""
    for row in own:
        assert all(word in corpus_line(row) for word in (row.case.id, str(row.outcome), "within", row.case.clause))
    assert corpus_summary(own).endswith(
        f"{len(own)} of {len(own)} cases within the RFCs, 0 against a SHOULD, 0 outside"
    )


def test_path():
    """The corpus asks for the path it is told, and is lost at another."""
    with labkit.UpgradeServer(paths=("/chat",)) as server:
        found = run_corpus(server.url, "/chat", only=[BY_ID[PLAIN], BY_ID["plain-get"]])
        assert [str(row.outcome) for row in found] == ["101", "200"]
        lost = run_corpus(f"127.0.0.1:{server.port}", only=[BY_ID[PLAIN]])
        assert [str(row.outcome) for row in lost] == ["404"]
        assert "is WebSocket spoken at this path" in lost.note


# others


def test_a_server_that_always_switches_is_found_out():
    """A server that says 101 without looking is outside: it answers no key, and switches where it must not."""
    chosen = [BY_ID[each] for each in (PLAIN, "key-absent", "http10-offer", "plain-get")]
    with listening(always(BARE_101)) as where:
        found = run_corpus(where, only=chosen)
    assert [row.standing for row in found] == [Standing.OUTSIDE] * 4
    assert "a 101 without Sec-WebSocket-Accept" in found.rows[0].note
    assert not found.ok


def test_a_server_that_always_declines():
    """A server that never switches is within, but where a certain status or field is asked of it."""
    ids = (PLAIN, "upgrade-upper-case", "host-absent", "ws-version-12", "method-unknown")
    with listening(always(NOT_FOUND)) as where:
        found = run_corpus(where, only=[BY_ID[each] for each in ids])
    within, against, outside = Standing.WITHIN, Standing.AGAINST, Standing.OUTSIDE
    assert [row.standing for row in found] == [within, within, outside, outside, against]


def test_a_server_that_says_nothing():
    """Silence is the outcome `open`, a close without an answer `close`; neither answers an offer."""
    with listening(
        lambda connection: connection.recv(1) and connection.recv(1 << 20) and read_head(connection)
    ) as where:
        silent = run_corpus(where, patience=0.1, only=[BY_ID["plain-get"]])
    with listening(lambda connection: connection.recv(1 << 20)) as where:
        closing = run_corpus(where, only=[BY_ID["plain-get"]])
    assert [(str(row.outcome), row.standing) for row in (*silent, *closing)] == [
        ("open", Standing.OUTSIDE), ("close", Standing.OUTSIDE),
    ]  # fmt: skip


def test_a_server_that_never_ends():
    """An answer without end is read up to a limit."""

    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with listening(pour) as where:
        trace = run_case(parse_address(where), BY_ID["plain-get"])
    assert len(trace.stream(Direction.TO_CLIENT)) <= 1 << 16
    assert str(outcome(trace)) == "200"


def test_two_answers():
    """A second answer is waited for where the case has a second request."""

    def twice(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(NOT_FOUND)
        connection.sendall(NOT_FOUND)

    with listening(twice) as where:
        trace = run_case(parse_address(where), BY_ID["content-length-sign"])
    judged = judge(BY_ID["content-length-sign"], outcome(trace))
    assert (str(judged.outcome), judged.standing) == ("404 404", Standing.OUTSIDE)


def test_nothing_listens():
    """A server that is not there leaves a report without cases that says why."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    found = run_corpus(f"127.0.0.1:{port}")
    assert (len(found), found.whole, found.ok) == (0, False, False)
    assert re.match(
        rf"Broken off after 0 of {len(cases())} cases: case plain-offer: .* takes no connection", found.note
    )


@needs_ipv6
def test_an_ipv6_address_stands_in_brackets():
    """An IPv6 address is told with brackets (RFC 3986, 3.2.2)."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as door:
        port = door.getsockname()[1]
    found = run_corpus(f"[::1]:{port}", only=[BY_ID[PLAIN]])
    assert f": [::1]:{port} takes no connection" in found.note
    assert found.target == f"[::1]:{port}/"


# runs that are broken off


FIVE = cases()[:5]


def test_a_server_that_dies_in_mid_run():
    """What was judged before a server died is reported, and the reason with it."""
    server = labkit.UpgradeServer()
    with server:
        told = []

        def after_three(row: Judged) -> None:
            told.append(row)
            if len(told) == 3:
                server.stop()

        found = run_corpus(f"127.0.0.1:{server.port}", only=FIVE, told=after_three)
    assert list(found) == told
    assert (len(found), found.whole, found.interrupted) == (3, False, False)
    assert found.note.startswith(f"Broken off after 3 of 5 cases: case {FIVE[3].id}: 127.0.0.1:")
    assert found.note in " ".join(corpus_summary(found).split("\n"))


def test_a_run_that_is_interrupted():
    """Ctrl-C leaves a report of what was judged until then."""

    def interrupt(_: Judged) -> None:
        raise KeyboardInterrupt

    with labkit.UpgradeServer() as server:
        found = run_corpus(server.url, only=FIVE, told=interrupt)
    assert (len(found), found.whole, found.interrupted) == (1, False, True)
    assert found.note == "Broken off after 1 of 5 cases: interrupted"


def test_a_run_that_takes_too_long(monkeypatch):
    """A run over its whole time ends with what it has."""
    monkeypatch.setattr("labkit.net.corpus._WHOLE_TIME", 0.15)
    with listening(drain) as where:
        found = run_corpus(where, only=FIVE, patience=0.1)
    assert 0 < len(found) < 5
    assert f"Broken off after {len(found)} of 5 cases: 0.15 s are over" in found.note


# time


def drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def drip(start: bytes, more: bytes, pause: float) -> Callable[[socket.socket], None]:
    """Answer with a beginning, and then with the same bytes for ever."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while True:
            connection.sendall(more)
            sleep(pause)

    return serve


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("pause", [0, 0.02], ids=["poured", "dripping"])
@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"", CONTINUE),
        (CHUNKED, b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"a:b\r\n"),
    ],
    ids=["continue", "chunks", "value", "fields"],
)
def test_one_deadline_for_a_case(start, more, pause):
    """However a server prolongs its answer, a case is over when its patience is, or its own `wait`."""
    with listening(drip(start, more, pause)) as where:
        for case, patience in ((BY_ID["plain-get"], 0.2), (BY_ID["start-empty-lines-only"], 5.0)):
            began = monotonic()
            trace = run_case(parse_address(where), case, patience=patience)
            assert 0.15 < monotonic() - began < 1.0
            assert trace.stream(Direction.TO_CLIENT).startswith(start)


def test_a_server_that_reads_nothing():
    """A server that takes no byte holds a case no longer than twice its patience."""
    many = replace(BY_ID["plain-get"], send=("GET {path} HTTP/1.1\r\nX: {repeat:a:1048576}{repeat:a:1048576}",) * 8)
    with listening(lambda _: sleep(1.5)) as where:
        began = monotonic()
        run_case(parse_address(where), many, patience=0.2)
        assert monotonic() - began < 1.2


def test_answers_are_looked_at_seldom(monkeypatch):
    """An answer in a thousand pieces is not dissected a thousand times, and its end is still seen at once."""
    looks = []

    def counted(trace: Trace) -> Dissection:
        looks.append(trace)
        return dissect(trace)

    def pieces(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x")
            sleep(0)
        drain(connection)

    monkeypatch.setattr("labkit.net.corpus.dissect", counted)
    with listening(pieces) as where:
        began = monotonic()
        trace = run_case(parse_address(where), BY_ID["plain-get"], patience=5)
        assert monotonic() - began < 2
    assert trace.stream(Direction.TO_CLIENT).endswith(b"x" * 1000)
    assert 0 < len(looks) < 100


# text


def test_what_stands_below_a_case_is_wrapped(own):
    """The case is one line; what stands below it has at most 100 columns, and names the most frequent reasons."""
    with listening(always(BARE_101)) as where:
        found = run_corpus(where, only=cases()[:12])
    for row in found:
        first, *below = corpus_line(row).split("\n")
        assert row.case.id in first
        assert below
        assert all(line.startswith("  ") and len(line) <= 100 for line in below)
    said = corpus_summary(found).split("\n")
    assert all(len(line) <= 100 for line in said)
    assert said[-1] == "12 × a 101 without Sec-WebSocket-Accept (W24: RFC 6455, 4.2.2 (5))"
    assert "×" not in corpus_summary(own)


@pytest.mark.parametrize(
    ("target", "options", "error", "said"),
    [
        ("192.0.2.1:80", {}, Refused, "on loopback alone"),
        ("example.com:80", {}, Refused, "on loopback alone"),
        ("wss://127.0.0.1:1/", {}, WrongUse, "speaks plain HTTP"),
        ("127.0.0.1:1", {"path": "chat"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/a b"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/{path}"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": '/<b>"'}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/%zz"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/a\r\nX: y"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/a?b"}, WrongUse, "without a query"),
        ("127.0.0.1:1", {"path": "/" * 1001}, WrongUse, "at most 1,000 characters here, not 1,001"),
        ("127.0.0.1:1", {"path": "/" + "<" * 900}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/" + "a" * 20_000}, WrongUse, "at most 1,000"),
        ("http://127.0.0.1:1/{path}", {}, WrongUse, "is no path"),
        ("a" * 20_000, {}, WrongUse, "is no address"),
        ("b" * 20_000 + ":1", {}, Refused, "on loopback alone"),
        ("wss://127.0.0.1:1/" + "a" * 20_000, {}, WrongUse, "speaks plain HTTP"),
        ("127.0.0.1:1", {"patience": 0}, WrongUse, "patience"),
        ("127.0.0.1:1", {"patience": 1e9}, WrongUse, "patience"),
    ],
)
def test_wrong_use(target, options, error, said):
    """Another machine, TLS, a path that is none and a patience without measure are refused, in one short line."""
    with pytest.raises(error, match=said) as caught:
        run_corpus(target, **options)
    assert len(str(caught.value)) < 240
    assert "\n" not in str(caught.value)


# clients


def scripted(case: AnswerCase) -> Callable[[socket.socket], None]:
    """Give the case's answer, and close once the client has said or ended anything."""

    def serve(connection: socket.socket) -> None:
        asked = read_head(connection)
        key = asked.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode("ascii")
        connection.sendall(case.to_bytes(key))
        if not case.end:
            connection.recv(65536)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return serve


@pytest.mark.parametrize("case", answers(), ids=lambda case: case.id)
def test_the_real_client_keeps_it(case):
    """The lab's own client does with every answer what it must, over a socket."""
    with listening(scripted(case)) as where:
        found = exchange(f"ws://{where}/", case.asked, patience=2.0)
    assert keeps(case, found.trace), found.problem
    assert found.trace.end(Direction.TO_SERVER) in (How.FIN, How.RESET)

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import labkit
from labkit.cases.answers import AnswerCase, answers, keeps
from labkit.cases.corpus import PLAIN, Standing, cases, judge, outcome, predict
from labkit.errors import Failed, Refused, WrongUse
from labkit.net.address import parse_address
from labkit.net.client import exchange
from labkit.net.corpus import run_case, run_corpus
from labkit.parties.described import Server
from labkit.render.corpus import corpus_line, corpus_summary
from labkit.trace import Direction, How

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
    assert len(trace.stream(Direction.TO_CLIENT)) <= 1 << 20
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
    """A server that is not there, or not any more, is said once."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(Failed, match=r"case plain-offer: .* takes no connection"):
        run_corpus(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("target", "options", "error", "said"),
    [
        ("192.0.2.1:80", {}, Refused, "on loopback alone"),
        ("example.com:80", {}, Refused, "on loopback alone"),
        ("wss://127.0.0.1:1/", {}, WrongUse, "speaks plain HTTP"),
        ("127.0.0.1:1", {"path": "chat"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"path": "/a b"}, WrongUse, "is no path"),
        ("127.0.0.1:1", {"patience": 0}, WrongUse, "patience"),
        ("127.0.0.1:1", {"patience": 1e9}, WrongUse, "patience"),
    ],
)
def test_wrong_use(target, options, error, said):
    """Another machine, TLS, a path that is none and a patience without measure are refused."""
    with pytest.raises(error, match=said):
        run_corpus(target, **options)


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

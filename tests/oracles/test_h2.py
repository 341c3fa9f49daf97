"""h2 and curl make real HTTP/2: the lab finds the frames that they say they sent, and nothing wrong in them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.net.tap import Tap
from labkit.render.diagram import diagram
from labkit.trace import Direction, Trace, Transfer
from tests.oracles.libraries import library

connection = library("h2.connection")
config = library("h2.config")
events = library("h2.events")

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
ASK = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: {}\r\n\r\n"
LATIN = config.H2Configuration(client_side=True, header_encoding=None)
SERVER = config.H2Configuration(client_side=False, header_encoding=None)

names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).map("x-{}".format)
values = st.text([chr(code) for code in range(0x21, 0x7F)], max_size=40)
answers = st.tuples(st.lists(st.tuples(names, values), max_size=5), st.binary(max_size=60))


def answer(server, stream: int, fields, content: bytes) -> None:
    server.send_headers(stream, [(":status", "200"), *fields])
    server.send_data(stream, content, end_stream=True, pad_length=len(content) % 3 or None)


@given(st.lists(answers, min_size=1, max_size=4))
def test_what_h2_sends_is_found_whole(rows):
    """Heads and content come back as they were given to h2, on both sides of an upgrade, and no rule is broken."""
    client, server = connection.H2Connection(LATIN), connection.H2Connection(SERVER)
    told = client.initiate_upgrade_connection()
    server.initiate_upgrade_connection(told)
    flows = {UP: ASK.format(told.decode()).encode(), DOWN: SWITCH}
    asks = [[(":method", "GET"), (":scheme", "http"), (":path", f"/{place}"), (":authority", "h"), *fields]
            for place, (fields, _) in enumerate(rows)]  # fmt: skip
    for place, (fields, content) in enumerate(rows):
        stream = 2 * place + 1
        if place:  # the first request is the one before the 101
            client.send_headers(stream, asks[place], end_stream=True)
        flows[UP] += (sent := client.data_to_send())
        server.receive_data(sent)
        answer(server, stream, fields, content)
        flows[DOWN] += (sent := server.data_to_send())
        for event in client.receive_data(sent):
            if isinstance(event, events.DataReceived) and event.flow_controlled_length:
                client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    server.close_connection()
    flows[DOWN] += server.data_to_send()
    view = dissect(Trace(tuple(Transfer(0, way, data) for way, data in flows.items()))).hops[0]
    up, down = view.http2(UP), view.http2(DOWN)
    assert (up.faults, down.faults) == ({}, {})
    assert [block.fields for block in up.blocks.values()] == asks[1:]
    assert [block.fields for block in down.blocks.values()] == [[(":status", "200"), *fields] for fields, _ in rows]
    assert [down.body(place) for place, frame in enumerate(down.frames) if frame.name == "DATA"] == [
        row[1] for row in rows
    ]


@contextmanager
def serving(*, upgrade: bool) -> Iterator[int]:
    """Serve one connection with h2, after a 101 or from the first byte, on the port that is given."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(20)

    def run() -> None:
        with listening.accept()[0] as peer:
            peer.settimeout(10)
            server = connection.H2Connection(SERVER)
            rest = b""
            if upgrade:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += peer.recv(65536)
                head, _, rest = head.partition(b"\r\n\r\n")
                line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"http2-settings:"))
                server.initiate_upgrade_connection(line.split(b":")[1].strip())
                peer.sendall(SWITCH)
                answer(server, 1, [("content-type", "text/plain")], b"Hello from h2\n")
            else:
                server.initiate_connection()
            peer.sendall(server.data_to_send())
            while data := rest or peer.recv(65536):
                rest = b""
                for event in server.receive_data(data):
                    if isinstance(event, events.RequestReceived):
                        answer(server, event.stream_id, [("content-type", "text/plain")], b"Hello from h2\n")
                peer.sendall(server.data_to_send())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(10)


def curl() -> str:
    """Return curl where it speaks HTTP/2; on CI it has to be there."""
    found = shutil.which("curl")
    speaks = (
        found
        and "HTTP2" in subprocess.run([found, "-V"], check=False, capture_output=True, text=True, timeout=20).stdout
    )
    if not speaks and os.environ.get("CI"):
        pytest.fail("CI has to have a curl with HTTP/2")
    if not speaks:
        pytest.skip("no curl with HTTP/2 is installed")
    return found


@pytest.mark.parametrize("option", ["--http2", "--http2-prior-knowledge"])
def test_what_curl_says(option):
    """A real curl against h2, recorded: the frames have their names, nothing is broken, the diagram draws them."""
    program = curl()
    with serving(upgrade=option == "--http2") as port, Tap(f"127.0.0.1:{port}") as tap:
        command = [program, "-q", "-sS", "--noproxy", "*", "--max-time", "15", option, f"{tap.url}hello"]
        done = subprocess.run(command, check=False, capture_output=True, timeout=30)
        assert (done.returncode, done.stdout) == (0, b"Hello from h2\n"), done.stderr
        trace = tap.trace
    view = dissect(trace).hops[0]
    up, down = view.http2(UP), view.http2(DOWN)
    assert (up.faults, down.faults) == ({}, {})
    assert [up.frames[0].name, up.frames[1].name, down.frames[0].name] == ["preface", "SETTINGS", "SETTINGS"]
    heads = [block.value(":status") for block in down.blocks.values()]
    assert heads == ["200"]
    text = diagram(trace).text()
    assert "DATA stream 1, 14 bytes, end of stream" in text
    assert list(trace.check()) == []

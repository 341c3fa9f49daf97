"""What curl makes of a server that is not the lab's: websockets' own, as the lesson's table has it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from websockets.sync.server import serve

from labkit.net.curl import curl
from labkit.net.programs import find
from labkit.wire.upgrade import SAMPLE_KEY

pytestmark = pytest.mark.skipif(not find("curl") and "CI" not in os.environ, reason="curl is not on this machine")

BARE = "curl -i -H 'Upgrade: websocket' -H 'Connection: Upgrade'"
WHOLE = f"{BARE} -H 'Sec-WebSocket-Key: {SAMPLE_KEY}' -H 'Sec-WebSocket-Version: 13'"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    def echo(connection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize(
    ("line", "status", "code", "said"),
    [
        (BARE, 400, 0, "missing Sec-WebSocket-Key header"),
        (f"{BARE} -f", 400, 22, "error: 400"),
        (WHOLE, 101, 28, "HTTP/1.1 101 Switching Protocols"),
        (f"{WHOLE} --http1.1 -N", 101, 28, "HTTP/1.1 101 Switching Protocols"),
        (f"{WHOLE} --http1.0", 505, 0, "unsupported HTTP version"),
        (f"{WHOLE} -I", 405, 0, "Allow: GET"),
        (f"{BARE} --http2", 426, 0, "invalid Upgrade header: h2c, websocket"),
        ("curl -i", 426, 0, "Upgrade: websocket"),
        (WHOLE.replace("-H 'Connection: Upgrade' ", ""), 426, 0, "Upgrade: websocket"),
    ],
)
def test_the_lines_that_people_type(url: str, line: str, status: int, code: int, said: str):
    """Status, exit code and words of each line, with curl 7.88.1 and 8.14.1 and websockets 17.4."""
    ran = curl(f"{line} {url}", patience=0.5)
    assert (ran.status, ran.code) == (status, code)
    assert said in ran.printed + ran.errors


def test_prior_knowledge(url: str):
    """A server of HTTP/1.1 ends HTTP/2's preface; how curl calls that depends on its version."""
    ran = curl(f"{WHOLE} --http2-prior-knowledge {url}", patience=2)
    assert ran.code in (16, 18, 52, 56)
    assert "there is no Upgrade and no 101" in ran.meaning

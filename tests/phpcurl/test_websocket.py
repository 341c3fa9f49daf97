import pytest

from labkit import phpcurl
from labkit.dissection import dissect
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits
from labkit.phpcurl import (
    CURLE_AGAIN,
    CURLE_BAD_FUNCTION_ARGUMENT,
    CURLE_GOT_NOTHING,
    CURLE_SEND_ERROR,
    CURLE_UNSUPPORTED_PROTOCOL,
    CURLINFO_RESPONSE_CODE,
    CURLOPT_CONNECT_ONLY,
    CURLOPT_RETURNTRANSFER,
    CURLOPT_TIMEOUT_MS,
    CURLWS_BINARY,
    CURLWS_CLOSE,
    CURLWS_TEXT,
    curl_close,
    curl_easy_recv,
    curl_easy_send,
    curl_errno,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_setopt,
    curl_version,
    curl_ws_recv,
    curl_ws_send,
)
from labkit.wire.upgrade import SAMPLE_KEY

REQUEST = (
    "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {SAMPLE_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HELLO = bytes.fromhex("818537fa213d7f9f4d5158")  # a masked "Hello" (RFC 6455, 5.7)
CLOSE = bytes.fromhex("888200000000 03e8")


def connected(url, only):
    ch = curl_init(url)
    curl_setopt(ch, CURLOPT_CONNECT_ONLY, only)
    curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    assert curl_exec(ch) == ""
    return ch


def received(ch, size):
    data = ""
    while len(data) < size:
        more = curl_easy_recv(ch, size - len(data))
        assert more
        data += more
    return data


def test_by_hand():
    """CONNECT_ONLY 1: the request, the 101, a masked frame, its echo and a Close, all as bytes."""
    with UpgradeServer() as server:
        ch = connected("http://example.com/chat", 1)
        assert curl_easy_send(ch, REQUEST) == len(REQUEST)
        head = ""
        while not head.endswith("\r\n\r\n"):
            head += received(ch, 1)
        assert head.startswith("HTTP/1.1 101 Switching Protocols\r\n")
        assert curl_easy_send(ch, HELLO) == len(HELLO)
        assert received(ch, 7) == "\x81\x05Hello"
        curl_easy_send(ch, CLOSE)
        assert received(ch, 4) == "\x88\x02\x03\xe8"
        assert curl_easy_recv(ch, 1) == ""  # closed
        curl_close(ch)
        assert dissect(server.trace).status == 101


def test_nothing_comes(monkeypatch):
    """Receiving waits as long as a transfer may take, and then says 81 (CURLE_AGAIN)."""
    monkeypatch.setattr(phpcurl, "PATIENCE", 0.2)
    with UpgradeServer():
        ch = connected("http://example.com/chat", 1)
        assert curl_easy_recv(ch, 10) is False
        assert curl_errno(ch) == CURLE_AGAIN
        curl_setopt(ch, CURLOPT_TIMEOUT_MS, 50)
        assert curl_easy_recv(ch, 10) is False
        curl_close(ch)


def test_much_is_sent_whole():
    """What does not fit at once is sent as the other side takes it."""
    with UpgradeServer(limits=Limits(content=8 << 20)):
        ch = connected("http://example.com/", 1)
        size = 4 << 20
        assert curl_easy_send(ch, f"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: {size}\r\n\r\n") > 0
        assert curl_easy_send(ch, b"x" * size) == size
        assert received(ch, 15) == "HTTP/1.1 200 OK"
        curl_close(ch)


@pytest.mark.parametrize(
    "call", [lambda ch: curl_easy_send(ch, "x"), lambda ch: curl_easy_recv(ch, 1), lambda ch: curl_ws_send(ch, "x")]
)
def test_no_connection(call):
    """Without CONNECT_ONLY there is none: False, and the reason by curl_errno."""
    ch = curl_init("http://example.com/")
    assert call(ch) is False
    assert curl_errno(ch) in (CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_SEND_ERROR)


def test_frames_by_libcurl():
    """CONNECT_ONLY 2: libcurl makes the handshake for a ws:// URL, and speaks frames."""
    if "ws" not in curl_version()["protocols"]:
        pytest.skip("this libcurl has no WebSocket")
    with UpgradeServer() as server:
        ch = connected("ws://example.com/chat", 2)
        assert curl_getinfo(ch, CURLINFO_RESPONSE_CODE) == 101
        assert curl_ws_send(ch, "Grüße") == 7
        message, frame = curl_ws_recv(ch)
        assert message.encode("latin-1").decode() == "Grüße"
        assert frame == {"flags": CURLWS_TEXT, "offset": 0, "bytesleft": 0, "len": 7}
        assert curl_ws_send(ch, b"\x00\xff", CURLWS_BINARY) == 2
        assert curl_ws_recv(ch, 1) == ("\x00", {"flags": CURLWS_BINARY, "offset": 0, "bytesleft": 1, "len": 1})
        assert curl_ws_recv(ch, 1) == ("\xff", {"flags": CURLWS_BINARY, "offset": 1, "bytesleft": 0, "len": 1})
        assert curl_ws_send(ch, b"\x03\xe8bye", CURLWS_CLOSE) == 5
        message, frame = curl_ws_recv(ch)
        assert (message[:2], frame["flags"]) == ("\x03\xe8", CURLWS_CLOSE)
        assert curl_ws_recv(ch) == (False, None)
        assert curl_errno(ch) == CURLE_GOT_NOTHING
        curl_close(ch)
        assert dissect(server.trace).status == 101

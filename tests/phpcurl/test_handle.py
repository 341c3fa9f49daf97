import gc
import io
import os
import signal
import threading
import time
import weakref

import pytest

from labkit import phpcurl
from labkit.errors import Failed, WrongUse
from labkit.net.server import UpgradeServer
from labkit.phpcurl import (
    CURLE_OPERATION_TIMEDOUT,
    CURLINFO_HEADER_OUT,
    CURLINFO_HTTP_CODE,
    CURLOPT_CUSTOMREQUEST,
    CURLOPT_FILE,
    CURLOPT_HEADER,
    CURLOPT_HEADERFUNCTION,
    CURLOPT_HTTPHEADER,
    CURLOPT_NOPROGRESS,
    CURLOPT_PROGRESSFUNCTION,
    CURLOPT_READFUNCTION,
    CURLOPT_RETURNTRANSFER,
    CURLOPT_STDERR,
    CURLOPT_TIMEOUT,
    CURLOPT_TIMEOUT_MS,
    CURLOPT_UPLOAD,
    CURLOPT_URL,
    CURLOPT_VERBOSE,
    CURLOPT_WRITEFUNCTION,
    answered_by,
    curl_close,
    curl_copy_handle,
    curl_errno,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_multi_add_handle,
    curl_multi_init,
    curl_reset,
    curl_setopt,
)
from labkit.trace import Direction, End
from labkit.wire.upgrade import SAMPLE_KEY
from tests.net.peer import scripted

FULL = ["Upgrade: websocket", f"Sec-WebSocket-Key: {SAMPLE_KEY}", "Sec-WebSocket-Version: 13", "Connection: Upgrade"]


@pytest.fixture
def server():
    with UpgradeServer() as server:
        yield server


def asking(*options, url="http://example.com/path", fields=()):
    ch = curl_init(url)
    curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    curl_setopt(ch, CURLOPT_HTTPHEADER, list(fields))
    for option, value in options:
        assert curl_setopt(ch, option, value)
    return ch


@pytest.mark.parametrize("option", [CURLOPT_HEADERFUNCTION, CURLOPT_WRITEFUNCTION, CURLOPT_PROGRESSFUNCTION])
def test_an_error_in_a_callback(server, option):
    """What a callback raises comes out of curl_exec, as an exception does in PHP; the handle can be used again."""

    def broken(ch, *data):
        raise ZeroDivisionError("in a callback")

    ch = asking((option, broken), (CURLOPT_NOPROGRESS, False))
    with pytest.raises(ZeroDivisionError, match="in a callback"):
        curl_exec(ch)
    curl_reset(ch)
    curl_setopt(ch, CURLOPT_URL, "http://example.com/")
    curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    assert "plain page" in curl_exec(ch)


def test_an_error_in_a_read_callback(server):
    """So does what a callback for the content raises."""
    reading = (CURLOPT_READFUNCTION, lambda ch, file, size: 1 / 0)
    ch = asking((CURLOPT_UPLOAD, True), (CURLOPT_CUSTOMREQUEST, "POST"), reading, fields=["Expect:"])
    with pytest.raises(ZeroDivisionError):
        curl_exec(ch)


def set_option(ch):
    return curl_setopt(ch, CURLOPT_TIMEOUT, 1)


def add_to_others(ch):
    return curl_multi_add_handle(curl_multi_init(), ch)


def test_another_thread(server):
    """While one thread waits with a handle, another is told that it is at work, whatever it wants of it."""
    ch = asking((CURLOPT_TIMEOUT, 5), fields=FULL)
    switched, over, said = threading.Event(), threading.Event(), []
    curl_setopt(ch, CURLOPT_NOPROGRESS, False)
    curl_setopt(ch, CURLOPT_PROGRESSFUNCTION, lambda *numbers: over.is_set())
    curl_setopt(ch, CURLOPT_HEADERFUNCTION, lambda ch, line: (line == "\r\n" and switched.set()) or len(line))

    def other():
        switched.wait(5)
        for call in (curl_exec, curl_close, curl_reset, curl_copy_handle, curl_getinfo, set_option, add_to_others):
            try:
                call(ch)
            except WrongUse as error:
                said.append(str(error))
        over.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert curl_exec(ch) is False
    thread.join()
    assert curl_errno(ch) == 42
    assert len(said) == 7
    assert all("at work" in each for each in said)


@pytest.mark.parametrize(
    "call", [curl_exec, curl_close, curl_reset, curl_copy_handle, curl_getinfo, set_option, add_to_others]
)
def test_what_a_callback_cannot_do(server, call):
    """While libcurl calls back, its handle cannot be used for anything else; that is told in a sentence."""
    ch = asking((CURLOPT_HEADERFUNCTION, lambda ch, line: call(ch)))
    with pytest.raises(WrongUse, match="at work"):
        curl_exec(ch)


def test_the_status_in_a_callback(server):
    """The status code can be asked for, and is that of the head that is just coming."""
    codes = set()
    ch = asking((CURLOPT_HEADERFUNCTION, lambda ch, line: codes.add(curl_getinfo(ch, CURLINFO_HTTP_CODE)) or len(line)))
    assert curl_exec(ch)
    assert codes == {200}


def test_no_end_within_patience(monkeypatch):
    """Where no 101 came and no end either, the error says how long it waited."""
    monkeypatch.setattr(phpcurl, "PATIENCE", 0.2)
    with scripted(b"HTTP/1.1 200 OK\r\n\r\nno end", then="wait") as port:
        ch = asking(url=f"http://127.0.0.1:{port}/")
        with pytest.raises(Failed, match=r"saw no end of the answer within 0\.\d s; set CURLOPT_TIMEOUT"):
            curl_exec(ch)
        assert curl_errno(ch) == CURLE_OPERATION_TIMEDOUT
        curl_setopt(ch, CURLOPT_TIMEOUT_MS, 100)
        assert curl_exec(ch) is False  # now the limit is the script's own
        curl_setopt(ch, CURLOPT_TIMEOUT_MS, 0)
        with pytest.raises(Failed):
            curl_exec(ch)


def test_too_much_data(monkeypatch):
    """What comes is bounded, wherever it goes."""
    monkeypatch.setattr("labkit.phpcurl.handle.MOST_DATA", 1 << 20)
    with UpgradeServer(page="x" * (1 << 20) + "y") as server, answered_by(server):
        for option, value in (
            (CURLOPT_HEADER, False),
            (CURLOPT_FILE, io.BytesIO()),
            (CURLOPT_WRITEFUNCTION, lambda ch, data: len(data)),
        ):
            with pytest.raises(Failed, match="more than 1 MiB came"):
                curl_exec(asking((option, value)))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals")
def test_an_interrupt_ends_the_wait(server):
    """Ctrl-C while curl_exec waits after a 101 is a KeyboardInterrupt at once, or within a second."""
    ch = asking((CURLOPT_TIMEOUT, 20), fields=FULL)
    switched = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background
    curl_setopt(ch, CURLOPT_HEADERFUNCTION, lambda ch, line: (line == "\r\n" and switched.set()) or len(line))

    def interrupt():
        switched.wait(5)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            curl_exec(ch)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 5


def test_a_handle_is_freed_with_its_last_name(server):
    """Without a cycle: its connections close at once, as in PHP, also where it has callbacks."""
    ch = asking((CURLOPT_HEADERFUNCTION, lambda ch, line: len(line)))
    watch = server.watch()
    gc.disable()
    try:
        assert curl_exec(ch)
        gone = weakref.ref(ch)
        del ch
        assert gone() is None
    finally:
        gc.enable()
    assert any(isinstance(event, End) and event.direction is Direction.TO_SERVER for event in watch.traces()[0].events)


def test_verbose(server, capsys):
    """CURLOPT_VERBOSE tells what happens on standard error, or on a stream; CURLINFO_HEADER_OUT takes its place, as in PHP."""
    ch = asking((CURLOPT_VERBOSE, True))
    assert curl_exec(ch)
    told = capsys.readouterr().err
    assert "> GET /path HTTP/1.1\r\n> Host: example.com\r\n" in told
    assert "\n< HTTP/1.1 200 OK\r\n" in told
    assert "\n* " in told
    stream = io.BytesIO()
    curl_setopt(ch, CURLOPT_STDERR, stream)
    assert curl_exec(ch)
    assert b"> GET /path HTTP/1.1\r\n" in stream.getvalue()
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_the_client(server):
    """As in PHP there is no User-Agent unless it is set, neither at first nor after curl_reset or in a copy."""
    ch = curl_init("http://example.com/")
    for each in (ch, curl_copy_handle(ch)):
        curl_setopt(each, CURLOPT_RETURNTRANSFER, True)
        curl_setopt(each, CURLINFO_HEADER_OUT, True)
        curl_exec(each)
        assert curl_getinfo(each, CURLINFO_HEADER_OUT) == "GET / HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n"


def test_drawn():
    """A handle draws as what it asks for."""
    assert repr(curl_init()) == "<CurlHandle without a URL>"
    assert repr(curl_init("http://example.com/")) == "<CurlHandle http://example.com/>"

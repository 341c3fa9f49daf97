import time

import pytest

from labkit import phpcurl
from labkit.errors import Failed, Refused, WrongUse
from labkit.net.server import UpgradeServer
from labkit.phpcurl import (
    CURLE_OPERATION_TIMEDOUT,
    CURLM_BAD_HANDLE,
    CURLM_OK,
    CURLMOPT_MAX_TOTAL_CONNECTIONS,
    CURLMOPT_PIPELINING,
    CURLMOPT_PUSHFUNCTION,
    CURLOPT_HEADER,
    CURLOPT_HEADERFUNCTION,
    CURLOPT_TIMEOUT_MS,
    CURLPIPE_MULTIPLEX,
    curl_close,
    curl_exec,
    curl_init,
    curl_multi_add_handle,
    curl_multi_close,
    curl_multi_errno,
    curl_multi_exec,
    curl_multi_getcontent,
    curl_multi_info_read,
    curl_multi_init,
    curl_multi_remove_handle,
    curl_multi_select,
    curl_multi_setopt,
    curl_multi_strerror,
)
from tests.phpcurl.test_handle import FULL, asking


def done(mh, most=5.0):
    """Go on to the end."""
    until, running = time.monotonic() + most, 1
    while running and time.monotonic() < until:
        _, running = curl_multi_exec(mh)
        curl_multi_select(mh, 0.2)
    return running


def test_several_at_once():
    """Each transfer has its own content and its own message."""
    with UpgradeServer() as server:
        mh, handles = curl_multi_init(), [asking(url=f"http://example.com/{n}") for n in range(5)]
        assert [curl_multi_add_handle(mh, ch) for ch in handles] == [0] * 5
        assert done(mh) == 0
        told = []
        while (message := curl_multi_info_read(mh))[0]:
            told.append(message[0]["handle"])
        assert sorted(map(id, told)) == sorted(map(id, handles))
        assert curl_multi_info_read(mh) == (False, 0)
        assert {curl_multi_getcontent(ch) for ch in handles} == {"A plain page: no upgrade was made.\n"}
        assert repr(mh) == "<CurlMultiHandle of 5>"
        curl_multi_close(mh)
        assert repr(mh) == "<CurlMultiHandle of 0>"
        assert len(server.traces) == 5


def test_a_loop_that_would_never_end(monkeypatch):
    """After a 101 the loop of PHP's manual never ends; here an error says so."""
    monkeypatch.setattr(phpcurl, "PATIENCE", 0.3)
    with UpgradeServer():
        mh, ch = curl_multi_init(), asking(fields=FULL)
        curl_multi_add_handle(mh, ch)
        with pytest.raises(Failed, match="after a 101 libcurl waits for more"):
            done(mh)
        assert done(mh) == 0  # told once
        assert curl_multi_info_read(mh)[0]["result"] == CURLE_OPERATION_TIMEDOUT
        curl_multi_close(mh)


def test_an_error_in_a_callback():
    """It comes out of curl_multi_exec."""
    with UpgradeServer():
        mh, ch = curl_multi_init(), asking((CURLOPT_HEADERFUNCTION, lambda ch, line: 1 / 0))
        curl_multi_add_handle(mh, ch)
        with pytest.raises(ZeroDivisionError):
            done(mh)
        curl_multi_close(mh)


def test_nobody_answers():
    """That is told when the transfer is added."""
    with pytest.raises(Refused, match=r"example\.com"):
        curl_multi_add_handle(curl_multi_init(), asking())


def test_an_error_drops_nothing():
    """Unlike curl_exec, curl_multi_getcontent returns what came before the error; without RETURNTRANSFER, null."""
    with UpgradeServer():
        mh, ch = curl_multi_init(), asking((CURLOPT_HEADER, True), (CURLOPT_TIMEOUT_MS, 200), fields=FULL)
        curl_multi_add_handle(mh, ch)
        done(mh)
        assert curl_multi_info_read(mh)[0]["result"] == 28
        assert curl_multi_getcontent(ch).startswith("HTTP/1.1 101 Switching Protocols\r\n")
        curl_multi_close(mh)
    assert curl_multi_getcontent(curl_init()) is None


def test_waiting_is_not_spinning():
    """While nothing happens, a loop of exec and select costs next to no time of the processor."""
    with UpgradeServer():
        mh, ch = curl_multi_init(), asking((CURLOPT_TIMEOUT_MS, 500), fields=FULL)
        curl_multi_add_handle(mh, ch)
        began = time.process_time()
        done(mh)
        assert time.process_time() - began < 0.3
        curl_multi_close(mh)
    assert curl_multi_select(curl_multi_init(), 5) == 0


def test_options_and_words():
    """What pycurl can set is set; the rest is none, as PHP says of what it does not know."""
    mh = curl_multi_init()
    assert curl_multi_setopt(mh, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1) is True
    assert curl_multi_setopt(mh, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) is True
    with pytest.raises(WrongUse, match="is not a valid cURL multi option"):
        curl_multi_setopt(mh, CURLMOPT_PUSHFUNCTION, print)
    with pytest.raises(
        WrongUse, match=r"curl_multi_exec\(\): Argument #1 \(\$multi_handle\) must be of type CurlMultiHandle"
    ):
        curl_multi_exec(curl_init())
    with pytest.raises(
        WrongUse, match=r"curl_multi_add_handle\(\): Argument #2 \(\$handle\) must be of type CurlHandle"
    ):
        curl_multi_add_handle(mh, mh)
    assert curl_multi_strerror(CURLM_BAD_HANDLE) == "Invalid multi handle"
    assert curl_multi_errno(mh) == CURLM_OK


def test_one_connection_after_the_other():
    """A handle can be taken out and added again, and a closed multi handle is used again, as in PHP 8."""
    with UpgradeServer() as server:
        mh, ch = curl_multi_init(), asking()
        for _ in range(2):
            curl_multi_add_handle(mh, ch)
            assert done(mh) == 0
            curl_multi_remove_handle(mh, ch)
        curl_multi_close(mh)
        curl_multi_add_handle(mh, ch)
        assert done(mh) == 0
        curl_multi_close(mh)
        assert curl_exec(ch) == "A plain page: no upgrade was made.\n"
        assert len(server.traces) in (2, 3)
        curl_close(ch)

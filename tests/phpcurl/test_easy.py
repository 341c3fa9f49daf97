import pytest

from labkit.errors import WrongUse
from labkit.net.server import UpgradeServer
from labkit.phpcurl import (
    CURLE_BAD_FUNCTION_ARGUMENT,
    CURLINFO_EFFECTIVE_URL,
    CURLINFO_NUM_CONNECTS,
    CURLOPT_POSTFIELDS,
    CURLOPT_RETURNTRANSFER,
    CURLOPT_URL,
    CURLPAUSE_ALL,
    curl_close,
    curl_copy_handle,
    curl_errno,
    curl_error,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_pause,
    curl_reset,
    curl_setopt,
    curl_version,
)

ONE_HANDLE = [curl_exec, curl_errno, curl_error, curl_close, curl_reset, curl_copy_handle, curl_getinfo]


@pytest.mark.parametrize("function", ONE_HANDLE, ids=lambda function: function.__name__)
def test_no_handle(function):
    """A call without a handle is told of in PHP's words."""
    with pytest.raises(
        WrongUse, match=rf"{function.__name__}\(\): Argument #1 \(\$handle\) must be of type CurlHandle, bool given"
    ):
        function(False)


def test_a_url_with_a_null_byte():
    """PHP refuses it by a ValueError of curl_init itself."""
    with pytest.raises(WrongUse, match=r"curl_init\(\): cURL option must not contain any null bytes"):
        curl_init("http://a\0b/")


def test_close_closes_the_connection():
    """The server sees the end of it at once; what was told stays, and the handle can be used again."""
    with UpgradeServer() as server:
        watch = server.watch()
        ch = curl_init("http://example.com/path")
        curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
        first = curl_exec(ch)
        curl_close(ch)
        assert watch.so_far() is not None
        assert len(watch.traces()) == 1
        before = curl_getinfo(ch)
        assert before["http_code"] == 200
        assert before["total_time"] > 0
        assert curl_exec(ch) == first
        assert curl_getinfo(ch, CURLINFO_NUM_CONNECTS) == 1
        curl_close(ch)
        curl_close(ch)
    with UpgradeServer(page="other\n"):
        assert curl_exec(ch) == "other\n"
        curl_close(ch)


def test_a_copy_goes_its_own_way():
    """What is set on a handle after the copy does not change the copy, nor the other way; a form is copied too."""
    with UpgradeServer() as server:
        ch = curl_init("http://example.com/one")
        curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
        curl_setopt(ch, CURLOPT_POSTFIELDS, {"a": "b"})
        copy = curl_copy_handle(ch)
        curl_setopt(copy, CURLOPT_URL, "http://example.com/two")
        curl_setopt(copy, CURLOPT_RETURNTRANSFER, False)
        answer = curl_exec(ch)
        assert "bytes of content were read" in answer
        curl_setopt(copy, CURLOPT_RETURNTRANSFER, True)
        curl_close(ch)
        del ch
        assert curl_exec(copy) == answer
        assert curl_getinfo(copy, CURLINFO_EFFECTIVE_URL) == "http://example.com/two"
        curl_close(copy)
        assert len(server.traces) == 2


@pytest.mark.parametrize("seconds", [0, -1, "5", None, float("nan"), 1e9])
def test_what_is_no_patience(seconds, monkeypatch):
    """PATIENCE is a time; anything else is told of before anything is dialled."""
    monkeypatch.setattr("labkit.phpcurl.PATIENCE", seconds)
    with pytest.raises(WrongUse, match="PATIENCE is above 0 and at most 3600 seconds"):
        curl_exec(curl_init("http://127.0.0.1:1/"))


def test_pause_without_a_transfer():
    """There is nothing to pause: 43, as in PHP."""
    assert curl_pause(curl_init(), CURLPAUSE_ALL) == CURLE_BAD_FUNCTION_ARGUMENT


def test_version():
    """The library says what it is, and that it speaks http."""
    version = curl_version()
    assert version["version"][0].isdigit()
    assert "http" in version["protocols"]
    assert isinstance(version["version_number"], int)

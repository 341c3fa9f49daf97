import pytest

from labkit.net.server import UpgradeServer
from labkit.phpcurl import (
    CURL_HTTP_VERSION_1_1,
    CURLINFO_CERTINFO,
    CURLINFO_CONTENT_TYPE,
    CURLINFO_COOKIELIST,
    CURLINFO_EFFECTIVE_URL,
    CURLINFO_HEADER_OUT,
    CURLINFO_HTTP_VERSION,
    CURLINFO_PROTOCOL,
    CURLINFO_RESPONSE_CODE,
    CURLINFO_SIZE_DOWNLOAD,
    CURLINFO_SIZE_DOWNLOAD_T,
    CURLOPT_RETURNTRANSFER,
    CURLOPT_URL,
    CURLPROTO_HTTP,
    curl_close,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_setopt,
)
from labkit.phpcurl.info import KEYS


def test_the_kinds_of_values():
    """Texts, whole numbers, fractions, lists: each as PHP has it; what is not there is False."""
    with UpgradeServer():
        ch = curl_init("http://example.com/path")
        curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
        assert curl_getinfo(ch, CURLINFO_CONTENT_TYPE) is False
        curl_exec(ch)
        curl_close(ch)
    assert curl_getinfo(ch, CURLINFO_CONTENT_TYPE) == "text/plain; charset=utf-8"
    assert curl_getinfo(ch, CURLINFO_RESPONSE_CODE) == 200
    assert curl_getinfo(ch, CURLINFO_SIZE_DOWNLOAD) == 35.0
    assert isinstance(curl_getinfo(ch, CURLINFO_SIZE_DOWNLOAD), float)
    assert curl_getinfo(ch, CURLINFO_SIZE_DOWNLOAD_T) == 35
    assert curl_getinfo(ch, CURLINFO_COOKIELIST) == []
    assert curl_getinfo(ch, CURLINFO_CERTINFO) == []
    assert curl_getinfo(ch, CURLINFO_PROTOCOL) == CURLPROTO_HTTP
    assert curl_getinfo(ch, CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_1_1


@pytest.mark.parametrize("option", [0, -1, 12345, "x", 1 << 40])
def test_no_such_value(option):
    """As in PHP that is False, not an error."""
    assert curl_getinfo(curl_init(), option) is False


def test_the_array():
    """Every key has a value that can be written as JSON, also before anything was asked for."""
    told = curl_getinfo(curl_init())
    assert list(told) == list(KEYS)
    assert {type(value) for value in told.values()} <= {str, int, float, list, type(None)}


def test_a_new_transfer_forgets_the_old():
    """What was sent and told is that of the last transfer."""
    with UpgradeServer():
        ch = curl_init("http://example.com/one")
        curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
        curl_setopt(ch, CURLINFO_HEADER_OUT, True)
        curl_exec(ch)
        curl_close(ch)
        curl_setopt(ch, CURLOPT_URL, "http://example.com/two")
        curl_exec(ch)
        assert curl_getinfo(ch, CURLINFO_HEADER_OUT).startswith("GET /two HTTP/1.1\r\n")
        assert curl_getinfo(ch)["request_header"].count("GET") == 1
        assert curl_getinfo(ch, CURLINFO_EFFECTIVE_URL) == "http://example.com/two"
        curl_close(ch)

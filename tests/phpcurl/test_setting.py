import io

import pytest

from labkit.errors import Refused, WrongUse
from labkit.phpcurl import (
    CURL_HTTP_VERSION_1_1,
    CURLE_UNSUPPORTED_PROTOCOL,
    CURLINFO_COOKIELIST,
    CURLOPT_CAINFO,
    CURLOPT_CONNECT_TO,
    CURLOPT_COOKIEFILE,
    CURLOPT_COOKIEJAR,
    CURLOPT_COOKIELIST,
    CURLOPT_FILE,
    CURLOPT_HEADER,
    CURLOPT_HEADERFUNCTION,
    CURLOPT_HTTP_VERSION,
    CURLOPT_HTTPHEADER,
    CURLOPT_INFILE,
    CURLOPT_INTERFACE,
    CURLOPT_MAXREDIRS,
    CURLOPT_NETRC,
    CURLOPT_POSTFIELDS,
    CURLOPT_PROXY,
    CURLOPT_RESOLVE,
    CURLOPT_SAFE_UPLOAD,
    CURLOPT_SSL_VERIFYHOST,
    CURLOPT_SSLKEY,
    CURLOPT_UNIX_SOCKET_PATH,
    CURLOPT_URL,
    CURLOPT_USERAGENT,
    curl_errno,
    curl_error,
    curl_getinfo,
    curl_init,
    curl_setopt,
    curl_setopt_array,
)
from labkit.phpcurl.options import NAMES, REFUSED


@pytest.mark.parametrize("option", [CURLOPT_COOKIEJAR, CURLOPT_CAINFO, CURLOPT_NETRC, CURLOPT_SSLKEY])
def test_files_by_name(option):
    """What would read or write a file by its name is refused."""
    with pytest.raises(Refused, match="would read or write a file by its name"):
        curl_setopt(curl_init(), option, "/etc/hostname")


@pytest.mark.parametrize(
    "option", [CURLOPT_PROXY, CURLOPT_UNIX_SOCKET_PATH, CURLOPT_INTERFACE, CURLOPT_RESOLVE, CURLOPT_CONNECT_TO]
)
def test_ways_out(option):
    """What would lead the request elsewhere is refused; CONNECT_TO is the lab's own."""
    with pytest.raises(
        Refused, match=f"{NAMES[option]} is not taken here: it would lead the request away from the lab"
    ):
        curl_setopt(curl_init(), option, "x")


def test_each_refusal_has_its_reason():
    """Also among several options; those before it are set, as in PHP."""
    for option, why in REFUSED.items():
        with pytest.raises(Refused, match=why.split("(")[0]):
            curl_setopt_array(curl_init(), {CURLOPT_HEADER: True, option: 1})


def test_cookies_are_remembered_without_a_file():
    """CURLOPT_COOKIEFILE "" switches them on; a name of a file is refused."""
    ch = curl_init()
    assert curl_setopt(ch, CURLOPT_COOKIEFILE, "")
    assert curl_setopt(ch, CURLOPT_COOKIELIST, "Set-Cookie: a=b; domain=example.com; path=/")
    assert [each.split("\t")[-2:] for each in curl_getinfo(ch, CURLINFO_COOKIELIST)] == [["a", "b"]]
    with pytest.raises(Refused, match="a file by its name"):
        curl_setopt(ch, CURLOPT_COOKIEFILE, "cookies.txt")


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("CURLOPT_URL", 1, "must be of type int, string given"),
        (None, 1, "must be of type int, null given"),
        (True, 1, "must be of type int, bool given"),
        (-5, 1, "is not a valid cURL option"),
        (CURLOPT_URL, ["x"], "no string can be made of this array"),
        (CURLOPT_USERAGENT, "a\0b", "must not contain any null bytes"),
        (CURLOPT_HTTPHEADER, "Upgrade: websocket", "The CURLOPT_HTTPHEADER option must have an array value"),
        (CURLOPT_HTTPHEADER, [["Upgrade: websocket"]], "no string can be made of this array"),
        (CURLOPT_HEADERFUNCTION, "on_header", "CURLOPT_HEADERFUNCTION takes a function"),
        (CURLOPT_FILE, 5, "not a valid File-Handle resource"),
        (CURLOPT_INFILE, io.StringIO("text"), "binary mode"),
        (CURLOPT_POSTFIELDS, {"a": ["b"]}, "no string can be made of this array"),
        (CURLOPT_SAFE_UPLOAD, False, "no longer supported"),
    ],
)
def test_what_cannot_be(option, value, text):
    """A wrong type is told of in PHP's own words, where PHP has any."""
    with pytest.raises(WrongUse, match=text):
        curl_setopt(curl_init(), option, value)


def test_wrong_calls():
    """Neither a handle nor an array: PHP's words again."""
    with pytest.raises(
        WrongUse, match=r"curl_setopt\(\): Argument #1 \(\$handle\) must be of type CurlHandle, null given"
    ):
        curl_setopt(None, CURLOPT_URL, "x")
    with pytest.raises(
        WrongUse, match=r"curl_setopt_array\(\): Argument #2 \(\$options\) must be of type array, string given"
    ):
        curl_setopt_array(curl_init(), "x")


def test_what_libcurl_does_not_take():
    """A value that libcurl refuses gives False, and the reason by curl_errno; the next success clears that."""
    ch = curl_init()
    assert curl_setopt(ch, CURLOPT_MAXREDIRS, 1 << 70) is False
    assert curl_errno(ch) == 43
    assert curl_error(ch)
    assert curl_setopt(ch, CURLOPT_HTTP_VERSION, 99) is False
    assert curl_errno(ch) == CURLE_UNSUPPORTED_PROTOCOL
    assert curl_setopt(ch, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) is True
    assert (curl_errno(ch), curl_error(ch)) == (0, "")


def test_verify_host_one():
    """PHP gives a notice that 2 is used instead of 1; here it is a warning, at the caller's line."""
    with pytest.warns(UserWarning, match="value 2 will be used instead") as caught:
        assert curl_setopt(curl_init(), CURLOPT_SSL_VERIFYHOST, 1)
    assert caught[0].filename == __file__

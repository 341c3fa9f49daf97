from __future__ import annotations

import pytest

from labkit.proxies.apache.pages import Style, page
from labkit.proxies.apache.settings import Settings
from labkit.proxies.directive import Directive
from labkit.trace import Direction
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from tests.proxies.apache.through import HTTP, UPGRADE, raw, through

HEAD = RequestHead("PUT", "/", Fields((("Expect", "foo"),)))
# Measured on 2.4.71: the length of each page, without a signature.
LENGTHS = [
    (400, {}, 266), (403, {}, 239), (404, {}, 236), (405, {}, 260), (410, {}, 322), (414, {}, 288), (417, {}, 395),
    (426, {}, 425), (500, {}, 571), (502, {}, 272), (503, {}, 339), (301, {"location": "http://elsewhere/x?q"}, 268),
    (302, {"location": "http://a/there?q"}, 240), (502, {"reason": "Error reading from remote server"}, 381),
    (400, {"reason": "Max-Forwards has reached zero - proxy loop?"}, 386),
    (500, {"reason": "DNS lookup failure for: 127.0.0.1:37955x"}, 308),
    (400, {"notes": "Size of a request header field exceeds server limit."}, 318),
]  # fmt: skip


@pytest.mark.parametrize(("status", "more", "length"), LENGTHS)
def test_a_page_has_its_measured_length(status, more, length):
    """Word for word, and so byte for byte."""
    assert len(page(status, Style(), HEAD, **more)) == length


def test_a_404_is_word_for_word():
    """Head and page, with the lab's own date."""
    data = through(UPGRADE, raw("/nope", "Host: a"), modules=HTTP).trace.stream(Direction.TO_CLIENT)
    assert data.decode() == (
        "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Apache/2.4.71 (Debian)\r\n"
        "Content-Length: 236\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
        "<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n"
        "<p>The requested URL was not found on this server.</p>\n</body></html>\n"
    )


@pytest.mark.parametrize(
    ("tokens", "banner"),
    [("Prod", "Apache"), ("Major", "Apache/2"), ("Min", "Apache/2.4.71"), ("Full", "Apache/2.4.71 (Debian)")],
)
def test_server_tokens_are_of_the_server_field(tokens, banner):
    """And of the signature."""
    came = through(f"ServerTokens {tokens}\n{UPGRADE}", raw("/nope", "Host: a"), modules=HTTP)
    assert came.fields["server"] == banner


def test_a_signature_names_the_host_and_the_port():
    """And the administrator, with EMail."""
    told = [Directive("ServerSignature", ("EMail",)), Directive("ServerAdmin", ("me@x",))]
    style = Style.of(Settings.of(told), "a", "80")
    assert style.signature == (
        '<hr>\n<address>Apache/2.4.71 (Debian) Server at <a href="mailto:me@x">a</a> Port 80</address>\n'
    )

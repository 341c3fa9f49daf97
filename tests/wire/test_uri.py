"""Hosts and request-targets."""

import pytest

from labkit.wire.uri import ABSOLUTE, HOST, ORIGIN


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("server.example.com", True), ("server.example.com:80", True), ("", True), ("a:", True), ("[::1]:80", True),
        ("[v1.fe80::1]", True), ("[zz]", False), ("[::1", False), ("a b", False), ("u@h", False), ("a/b", False),
        ("a%zz", False), ("a:b", False),
    ],
)  # fmt: skip
def test_host(text, right):
    """A Host is a name or an address, and maybe a port (RFC 9110, 7.2; RFC 3986, 3.2.2)."""
    assert bool(HOST.fullmatch(text)) is right


@pytest.mark.parametrize(
    ("text", "right"), [("/", True), ("/a?b=/c?d", True), ("/a#b", False), ("/a[", False), ("a", False), ("/%4", False)]
)
def test_origin_form(text, right):
    """The origin form is a path and maybe a query, without a fragment (RFC 9112, 3.2.1)."""
    assert bool(ORIGIN.fullmatch(text)) is right


@pytest.mark.parametrize(
    ("text", "path"),
    [("http://a/b?c", "/b"), ("ws://[::1]:80", None), ("http://u@h/", False), ("http:///", False), ("/a", False)],
)
def test_absolute_form(text, path):
    """The absolute form names a host, and gives the path (RFC 9112, 3.2.2)."""
    found = ABSOLUTE.fullmatch(text)
    assert (found[1] if found else False) == path

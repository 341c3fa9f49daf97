from __future__ import annotations

import pytest

from labkit.errors import Unmodelled
from labkit.proxies.apache.reading import directives, read
from labkit.proxies.apache.rewriting import rules_of
from labkit.proxies.apache.settings import Settings
from labkit.proxies.apache.targets import read_target
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead


def apply(text, target="/ws/x?q=1", *fields):
    """Apply rules to a request; return what became of it."""
    found = directives(read(f"RewriteEngine On\n{text}"))
    head = RequestHead("GET", target, Fields((("Host", "a"), *fields)))
    return rules_of(Settings.of(found), found).apply(head, read_target(target), "a")


# A rule with its conditions, and the text and the query that come of it; None where it does not fit.
RULES = [
    ("RewriteRule ^/ws/(.*) ws://b/$1 [P]", ("ws://b/x", "q=1")),
    ("RewriteRule ^/no - [F]", None),
    ("RewriteRule !^/no ws://b/ [P]", ("ws://b/", "q=1")),
    ("RewriteRule ^/WS/ ws://b/ [P,NC]", ("ws://b/", "q=1")),
    ("RewriteRule ^/ws/ ws://b/?z=2 [P]", ("ws://b/", "z=2")),
    ("RewriteRule ^/ws/ ws://b/?z=2 [P,QSA]", ("ws://b/", "z=2&q=1")),
    ("RewriteCond %{HTTP:Upgrade} =websocket\nRewriteRule . ws://b/ [P]", ("ws://b/", "q=1")),
    ("RewriteCond %{HTTP:Upgrade} !=websocket\nRewriteRule . ws://b/ [P]", None),
    ("RewriteCond %{HTTP:Upgrade} ^WEB [NC]\nRewriteRule . ws://b/ [P]", ("ws://b/", "q=1")),
    (
        "RewriteCond %{HTTPS} on [OR]\nRewriteCond %{HTTP:Upgrade} websocket\nRewriteRule . ws://b/ [P]",
        ("ws://b/", "q=1"),
    ),
    ("RewriteCond %{HTTPS} on\nRewriteCond %{HTTP:Upgrade} websocket\nRewriteRule . ws://b/ [P]", None),
    ("RewriteCond %{HTTP_HOST} ^(.)$\nRewriteRule ^(.*) ws://b/%1$1 [P]", ("ws://b/a/ws/x", "q=1")),
    ("RewriteCond %{REQUEST_METHOD} POST\nRewriteRule . ws://b/ [P]\nRewriteRule . ws://c/ [P]", ("ws://c/", "q=1")),
    ("RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301]", ("https://a/ws/x", "q=1")),
]


@pytest.mark.parametrize(("text", "expected"), RULES)
def test_rules_are_applied(text, expected):
    """In order, the conditions above each belonging to it."""
    found = apply(text, "/ws/x?q=1", ("Upgrade", "websocket"))
    assert (found and (found.text, found.query)) == expected


@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
def test_a_url_of_another_server_is_a_redirect(scheme):
    """Without [P], also to ws:, which no browser follows (httpd 2.4.71 answers 302)."""
    found = apply(f"RewriteRule ^/(.*) {scheme}://b/$1 [L]")
    assert (found.kind, found.text, found.status) == ("redirect", f"{scheme}://b/ws/x", 302)


def test_without_the_engine_there_are_no_rules():
    """RewriteEngine Off is the default."""
    found = directives(read("RewriteRule . - [F]"))
    assert rules_of(Settings.of(found), found).rules == ()


def test_a_question_mark_that_came_encoded_is_refused():
    """AH10508, since 2.4.60."""
    assert apply("RewriteRule ^/ws/(.*) ws://b/$1 [P]", "/ws/a%3fb").status == 403


@pytest.mark.parametrize(
    "text",
    [
        "RewriteRule ^/x /y", "RewriteRule . - [E=a:b]", "RewriteRule . - [CO=a]", "RewriteRule . /y [R=999]",
        "RewriteRule . ${map:x} [P]", "RewriteRule . /%{TIME} [PT]", "RewriteRule (?<a>.)\\K - [F]", "RewriteRule ( - [F]",
        "RewriteCond %{REQUEST_FILENAME} -f\nRewriteRule . - [F]", "RewriteCond %{HTTPS} <on\nRewriteRule . - [F]",
        "RewriteCond expr true\nRewriteRule . - [F]", "RewriteCond %{HTTPS} on [NV]\nRewriteRule . - [F]",
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused(text):
    """By line and name."""
    with pytest.raises(Unmodelled, match=r"^line [23]: Rewrite"):
        apply(text)

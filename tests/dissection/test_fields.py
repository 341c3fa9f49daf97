from __future__ import annotations

import pytest

from labkit.dissection.fields import FIELDS, explain_field, explain_status
from labkit.wire.fields import Fields
from labkit.wire.upgrade import SAMPLE_KEY, accept_key

NONE = Fields()


def said(name: str, value: str, other: Fields = NONE) -> tuple[str, str]:
    meaning, _ = explain_field(name, value, Fields.of([(name, value)]), other)
    return meaning.text, meaning.fault


ASKED = Fields.of([("Sec-WebSocket-Key", SAMPLE_KEY)])


@pytest.mark.parametrize(
    ("name", "value", "text", "fault"),
    [
        ("Sec-WebSocket-Key", SAMPLE_KEY, "the RFC's own example key", ""),
        ("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA==", "16 bytes drawn by the client", ""),
        ("Sec-WebSocket-Key", "AAAA", "not 16 bytes", "the key is not the base64 of 16 bytes (RFC 6455, 4.2.1)"),
        ("Sec-WebSocket-Key", "\xe9", "not 16 bytes", "the key is not the base64 of 16 bytes (RFC 6455, 4.2.1)"),
        ("Sec-WebSocket-Accept", "x", "the proof that the key was read, but no key is recorded", ""),
        ("Sec-WebSocket-Version", "13", "the version of RFC 6455", ""),
        ("Sec-WebSocket-Version", "8, 7", "the versions this party speaks", ""),
        ("Upgrade", "WebSocket", "WebSocket: messages in frames", ""),
        ("Upgrade", "h2c, foo, websocket/13", "HTTP/2 without TLS; deprecated; WebSocket: messages", ""),
        ("Upgrade", "quote/1.0", "the protocol quote/1.0", ""),
        ("Connection", "keep-alive, UPGRADE", "the Upgrade field is meant for the next party", ""),
        ("Connection", "close", "this connection ends after the answer", ""),
        ("Connection", "X-Foo", "fields that are meant for the next party alone", ""),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__", "the payload of the client's SETTINGS frame, 12 bytes", ""),
        ("HTTP2-Settings", "", "the payload of the client's SETTINGS frame, 0 bytes", ""),
        ("HTTP2-Settings", "AA=", "the payload of the client's SETTINGS frame, 1 bytes", ""),
        ("HTTP2-Settings", "A", "not base64url", "the value is not base64url (RFC 7540, 3.2.1)"),
        ("HTTP2-Settings", "AA/+", "not base64url", "the value is not base64url (RFC 7540, 3.2.1)"),
        ("HTTP2-Settings", "\xe9\xe9", "not base64url", "the value is not base64url (RFC 7540, 3.2.1)"),
        ("hOsT", "a", "which host the request is for", ""),
    ],
)
def test_what_a_value_says(name, value, text, fault):
    """A value is read by its field's row: what it says, and what is wrong with it."""
    meaning, wrong = said(name, value)
    assert meaning.startswith(text)
    assert wrong == fault


def test_accept_is_held_against_the_key():
    """The proof is right for one key only (RFC 6455, 4.1)."""
    assert said("Sec-WebSocket-Accept", accept_key(SAMPLE_KEY), ASKED)[1] == ""
    wrong = said("Sec-WebSocket-Accept", accept_key(""), ASKED)[1]
    assert wrong == "the key asks for s3pPLMBiTxaQ9kYGzzhZRbK+xOo= (RFC 6455, 4.1)"


def test_unknown_field():
    """A field that the table does not have gets no meaning made up, only the clause of all field names."""
    meaning, row = explain_field("X-Own", "a", NONE, NONE)
    assert (meaning.text, row.purpose, row.clause) == ("", "", "RFC 9110, 5.1")


@pytest.mark.parametrize(
    ("status", "asked", "clause"),
    [
        (101, True, "RFC 9110, 15.2.2"),
        (200, True, "RFC 9110, 7.8"),
        (200, False, "RFC 9110, 15.3.1"),
        (426, True, "RFC 9110, 15.5.22"),
        (103, True, "RFC 9110, 15.2"),
        (204, True, "RFC 9110, 15.3"),
        (302, True, "RFC 9110, 15.4"),
        (418, True, "RFC 9110, 15.5"),
        (599, True, "RFC 9110, 15.6"),
        (0, True, "RFC 9110, 15"),
        (999, True, "RFC 9110, 15"),
    ],
)
def test_status_has_its_clause(status, asked, clause):
    """A known status has its own clause, another that of its class (RFC 9110, 15)."""
    text, found = explain_status(status, ["quote"] if asked else [])
    assert text
    assert found == clause


def test_table_is_looked_up_in_lower_case():
    """The table's keys are field names in lower case, and each row names its clause."""
    assert all(name == name.lower() for name in FIELDS)
    assert all(row.clause.startswith("RFC ") and row.purpose for row in FIELDS.values())


def test_websocket_need_not_follow():
    """Where websocket was offered, a 3xx is explained as that protocol has it (RFC 6455, 4.1, 4.2.2)."""
    assert explain_status(302, ["WebSocket"])[1] == "RFC 6455, 4.1, 4.2.2 (3)"

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.fields import Fields
from labkit.wire.upgrade import SAMPLE_KEY, TOKENS, Protocol, accept_key, is_key, offered, options, why_wrong

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("websocket", "websocket", ""),
        (" HTTP/2.0\t", "HTTP", "2.0"),
        ("a/b/c", "a", "b/c"),
        ("/", "", ""),
        ("", "", ""),
    ],
)
def test_protocol_is_name_and_version(text, name, version):
    """A protocol is a name and, after a slash, a version (RFC 9110, 7.8)."""
    assert Protocol.parse(text) == Protocol(name, version)


def test_protocol_names_ignore_case_and_versions_do_not():
    """Recipients compare protocol names without case (RFC 9110, 7.8)."""
    assert Protocol.parse("WebSocket").same(Protocol("websocket"))
    assert not Protocol.parse("TLS/1.0").same(Protocol("tls", "1.2"))
    assert [str(Protocol("TLS", "1.0")), str(Protocol("h2c"))] == ["TLS/1.0", "h2c"]


def test_offer_keeps_the_senders_order():
    """Upgrade lists protocols by descending preference, over several lines too (RFC 9110, 7.8)."""
    fields = Fields.of([("Upgrade", "h2c, websocket"), ("upgrade", "HTTP/3")])
    assert [str(protocol) for protocol in offered(fields)] == ["h2c", "websocket", "HTTP/3"]
    assert offered(Fields()) == ()


def test_connection_options_ignore_case():
    """Connection options are compared without case (RFC 9110, 7.6.1)."""
    assert options(Fields.of([("Connection", "Keep-Alive"), ("Connection", "UPGRADE")])) == {"keep-alive", "upgrade"}


def test_accept_of_the_standard():
    """The key and the answer that RFC 6455 prints in 1.3."""
    assert accept_key(SAMPLE_KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_accept_of_no_key():
    """A server that hashes an empty key always answers with this constant: seeing it means the key was lost."""
    assert accept_key("") == "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="


def test_accept_of_a_character_that_is_no_byte():
    """A key outside ISO 8859-1 cannot stand in a head."""
    with pytest.raises(WireError, match="€"):
        accept_key("€")


@given(st.binary(max_size=20))
def test_key_is_sixteen_bytes_in_base64(raw):
    """A key decodes to 16 bytes (RFC 6455, 4.2.1, 5)."""
    assert is_key(base64.b64encode(raw).decode()) == (len(raw) == 16)


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("AQIDBAUGBwgJCgsMDQ4PEC==", True),  # as RFC 6455, 4.1 prints it: its last bits are not zero
        (SAMPLE_KEY[:-1], False),
        (SAMPLE_KEY + "\n", False),
        (" " + SAMPLE_KEY, False),
        (SAMPLE_KEY.replace("G", "-"), False),
        (SAMPLE_KEY + ", " + SAMPLE_KEY, False),
        ("é" * 24, False),
        ("€" * 24, False),
    ],
)
def test_odd_keys(key, good):
    """What is no base64 is no key, whatever its length; nothing raises."""
    assert is_key(key) == good


MISTAKES = [
    ("Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=", "of the empty key"),
    ("b37a4f2cc0624f1690f64606cf385945b2bec4ea", "hexadecimal"),
    (base64.b64encode(b"b37a4f2cc0624f1690f64606cf385945b2bec4ea").decode(), "base64 of the digest in hexadecimal"),
    (base64.b64encode(hashlib.sha1(SAMPLE_KEY.encode()).digest()).decode(), "without the GUID"),
    (base64.b64encode(hashlib.sha1(b"the sample nonce" + GUID).digest()).decode(), "after decoding"),
    (base64.b64encode(hashlib.sha1(GUID + SAMPLE_KEY.encode()).digest()).decode(), "before the key"),
    (base64.b64encode(hashlib.sha256(SAMPLE_KEY.encode() + GUID).digest()).decode(), "SHA-256"),
    ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "less its padding"),
    ("s3pPLMBiTxaQ9kYGzzhZRbK-xOo=", "base64 for URLs"),
    (SAMPLE_KEY, "the key itself"),
    ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x", "nor a mistake that is known"),
    ("", "is empty"),
]


@pytest.mark.parametrize(("accept", "why"), MISTAKES)
def test_wrong_accepts_are_recognised(accept, why):
    """What an implementer forgot is told from the value alone (RFC 6455, 4.2.2, step 5.4)."""
    assert why in why_wrong(SAMPLE_KEY, accept)


def test_a_constant_accept_is_recognised():
    """The Accept of RFC 6455's own key answers no other key."""
    other = base64.b64encode(bytes(16)).decode()
    assert "RFC 6455's own key" in why_wrong(other, accept_key(SAMPLE_KEY))
    assert why_wrong(other, accept_key(other)) == ""


def test_tokens_are_looked_up_in_lower_case():
    """The table's keys are names without version, in lower case."""
    assert all(name == name.lower() and "/" not in name for name in TOKENS)

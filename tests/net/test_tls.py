"""TLS on the same connection, after a 101: the lab's two ends, and what a trace of them shows."""

from __future__ import annotations

import ssl

import pytest

from labkit.dissection import dissect
from labkit.errors import Absent, WrongUse
from labkit.net import tls
from labkit.net.client import ask, exchange
from labkit.net.programs import find
from labkit.net.server import UpgradeServer
from labkit.net.tls import tls_client, tls_server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.render.diagram import diagram
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

pytestmark = pytest.mark.skipif(not find("openssl"), reason="openssl is not here")


def served(inside=None, **settings):
    handler = tls_server(inside) if inside else tls_server()
    return UpgradeServer(protocols={"TLS/1.0": handler}, **settings)


def test_the_upgraded_request_is_answered_inside():
    """After the 101 and the TLS handshake comes the answer to the request that asked (RFC 2817, 3.3)."""
    client = tls_client()
    with served() as server:
        outcome = exchange(server.url, Offer.tls(), say=client)
    assert (outcome.status, outcome.problem) == (101, "")
    assert client.heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert client.heard.endswith(b"OPTIONS *, answered inside TLS.\n")
    assert client.version.startswith("TLSv1.")
    assert b"answered" not in outcome.trace.stream(Direction.TO_CLIENT)


def test_a_get_may_be_upgraded_too():
    """The optional way: the request itself is what the answer inside is to (RFC 2817, 3.1)."""
    client = tls_client()
    with served() as server:
        ask(server.url, Offer.custom("TLS/1.0", "/secret"), say=client)
    assert b"GET /secret, answered inside TLS." in client.heard


def test_the_answer_to_a_head_has_no_content():
    """Inside TLS as outside, HEAD gets the head alone (RFC 9110, 9.3.2)."""
    client = tls_client()
    with served() as server:
        ask(server.url, Offer.custom("TLS/1.0").but(method="HEAD"), say=client)
    assert client.heard.endswith(b"\r\n\r\n")


def test_a_server_may_require_it():
    """Without the upgrade the answer is 426, and names TLS (RFC 2817, 4.2)."""
    with served(require=True) as server:
        trace = ask(server.url, Offer.plain("/secret"))
    head = dissect(trace).exchange.answer.value
    assert (head.status, head.fields.get("Upgrade")) == (426, "TLS/1.0")


def test_any_handler_is_held_inside():
    """An echo inside TLS: what was sent comes back, more than one record of it."""
    data = bytes(range(256)) * 300

    async def say(stream):
        await stream.send(data)
        got = b""
        while len(got) < len(data):
            got += await stream.receive(5)

    client = tls_client(say)
    with served(echo) as server:
        assert exchange(server.url, Offer.tls(), say=client).problem == ""
    assert client.heard == data[: 1 << 16]


def test_an_unknown_certificate_is_refused(tmp_path):
    """A client that trusts another certificate says so, with an alert."""
    other = tmp_path / "other.pem"
    tls.lab_certificate.cache_clear()
    other.write_bytes(tls.lab_certificate().cert.read_bytes())
    tls.lab_certificate.cache_clear()
    with served() as server:
        outcome = exchange(server.url, Offer.tls(), say=tls_client(ca=other))
    assert "the certificate is not trusted" in outcome.problem


def test_bytes_that_are_no_tls():
    """A client that goes on in the clear gets an alert at the most, and the error is told."""

    async def clear(stream):
        await stream.send(b"GET / HTTP/1.1\r\n\r\n")
        await stream.receive(5)

    with served() as server:
        ask(server.url, Offer.tls(), say=clear)
        assert "no TLS handshake came about" in server.trace.note


def test_the_records_are_named_in_the_picture():
    """ClientHello first, then the server's; everything else is what it is, and in its order."""
    with served() as server:
        ask(server.url, Offer.tls(), say=tls_client())
        text = diagram(server.trace).text()
    records = [line for line in text.splitlines() if "TLS record" in line]
    assert "ClientHello" in records[0]
    assert "ServerHello" in records[1]
    assert "application data" in records[-1]


def test_it_cannot_be_simulated():
    """TLS draws fresh numbers, and a simulated trace is the same everywhere."""
    with served() as server:
        told = server.told
    assert "it cannot be simulated" in simulate(Scenario(Offer.tls(), tls_client(), server=told)).note


def test_without_openssl_the_package_is_named(monkeypatch):
    """The certificate is made by openssl; where it is absent, the error says what to install."""
    tls.lab_certificate.cache_clear()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("labkit.net.programs._SBIN", ())
    with pytest.raises(Absent, match="openssl"):
        tls_server()


def test_a_certificate_of_ones_own():
    """A certificate that is given is shown in the place of the lab's."""
    mine = tls.lab_certificate()
    client = tls_client(ca=mine.cert)
    with UpgradeServer(protocols={"TLS/1.0": tls_server(certificate=mine)}) as server:
        assert exchange(server.url, Offer.tls(), say=client).problem == ""
    with pytest.raises((ssl.SSLError, OSError)):
        tls_server(certificate=tls.Certificate(mine.cert, mine.cert))


def test_what_is_inside_has_no_pings():
    """Only WebSocket has them."""

    async def ping(stream):
        await stream.ping()

    with served(ping) as server:
        ask(server.url, Offer.tls(), say=tls_client())
        assert "only WebSocket has pings" in server.trace.note or WrongUse.__name__ in server.trace.note

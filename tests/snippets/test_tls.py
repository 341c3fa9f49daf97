from __future__ import annotations

import ssl
import subprocess
import threading

import pytest
from websockets.sync.server import serve

from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import snippet
from tests.snippets.running import execute

NAMES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE")  # where Python and curl are told whom to trust


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for this address and for the offers' host; nobody trusts it unless told."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=labkit test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:server.example.com",
         "-out", cert, "-keyout", key],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def behind_tls(certificate):
    """Run another's server behind TLS; give its address, and the requests it got."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    requests = []

    def echo(connection):
        requests.append(connection.request)
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, ssl=context, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"wss://127.0.0.1:{server.socket.getsockname()[1]}/", requests
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("form", ["curl", "websockets", "socket"])
def test_inside_tls(form, behind_tls, certificate, tmp_path, monkeypatch):
    """With a certificate that is trusted each form switches inside TLS, in HTTP/1.1, with the offer's own Host."""
    url, requests = behind_tls
    for name in NAMES:
        monkeypatch.setenv(name, str(certificate[0]))
    printed = snippet(Scenario(Offer.websocket("/chat")), form, url, key="AAAAAAAAAAAAAAAAAAAAAA==")
    out = execute(printed, tmp_path, code=28 if form == "curl" else 0)
    [request] = requests
    assert (request.path, request.headers["Host"]) == ("/chat", "server.example.com")
    assert ("HTTP/1.1 101" if form == "curl" else "Hello") in out


@pytest.mark.parametrize("form", ["curl", "php", "websockets", "socket"])
def test_nobody_is_trusted_unasked(form, behind_tls, tmp_path, monkeypatch):
    """A certificate that nobody vouches for is refused by every form, in words."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    url, requests = behind_tls
    out = execute(snippet(Scenario(), form, url), tmp_path, code=None)
    assert requests == []
    assert "Switched" not in out

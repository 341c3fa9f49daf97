"""Rules of the upgrade to HTTP/2, which is deprecated, and of bytes sent before the answer.

Early bytes are those that were recorded before the answer: wherever the recorder stood, the client cannot
have read it. What was recorded after it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.rules.evidence import Asked, Evidence, each_exchange
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.trace import Direction
from labkit.wire.upgrade import SETTING_SIZE, offered, settings_payload

__all__ = ["H2C"]

_SETTINGS = "HTTP2-Settings"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 7540, 3.5
_FRAME_HEAD = 9  # bytes (RFC 7540, 4.1): length 3, type 1, flags 1, stream 4


def _switches_to(asked: Asked, name: str) -> bool:
    named = offered(asked.answer.fields) if asked.answer and asked.switched else ()
    return any(protocol.name.lower() == name for protocol in named)


def _settings_problem(asked: Asked) -> str:
    """Return what is wrong with the number of HTTP2-Settings field lines, or ""."""
    many = len(asked.head.fields.all(_SETTINGS))
    return "" if many == 1 else f"{many or 'no'} {_SETTINGS} field line{'s' if many else ''}"


@each_exchange
def _settings_not_once(asked: Asked) -> Iterator[Sighting]:
    problem = _settings_problem(asked)
    if asked.request and asked.offers("h2c") and problem:
        yield asked.request.line(_SETTINGS, f"an offer of h2c with {problem}", place=1)


@each_exchange
def _switch_without_settings(asked: Asked) -> Iterator[Sighting]:
    problem = _settings_problem(asked)
    if asked.request and asked.answer and problem and _switches_to(asked, "h2c"):
        yield asked.answer.first_line(f"a switch to h2c on {problem}")
    for head in asked.heads:
        if head is not asked.request and _SETTINGS in head.fields:
            yield head.line(_SETTINGS, f"an {_SETTINGS} field in an answer")


@each_exchange
def _settings_not_named(asked: Asked) -> Iterator[Sighting]:
    if asked.request and _SETTINGS in asked.head.fields and _SETTINGS.lower() not in asked.options:
        yield asked.request.line(_SETTINGS, f"an {_SETTINGS} field, and no connection option of that name")


@each_exchange
def _switch_to_h2(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and _switches_to(asked, "h2"):
        yield asked.answer.line("Upgrade", "a switch to h2, which is HTTP/2 inside TLS")


def _after_switch(asked: Asked, way: Direction) -> tuple[int, bytes]:
    """Return where the bytes behind a switch to h2c begin in a direction, and those bytes."""
    seam = asked.view.seam.get(way, 0)
    if not seam or not _switches_to(asked, "h2c") or way in asked.view.missing:
        return 0, b""
    return seam, asked.view.data[way][seam:]


def _is_settings(head: bytes) -> bool:
    """Tell whether a frame's head is that of SETTINGS, and not of an acknowledgement (RFC 7540, 6.5)."""
    return head[3] == 4 and not head[4] & 1 and not int.from_bytes(head[5:], "big") & 0x7FFFFFFF


@each_exchange
def _client_preface(asked: Asked) -> Iterator[Sighting]:
    seam, data = _after_switch(asked, Direction.TO_SERVER)
    start, rest = data[: len(_PREFACE)], data[len(_PREFACE) :][:_FRAME_HEAD]
    end = seam + min(len(data), len(_PREFACE) + _FRAME_HEAD)
    if start and not _PREFACE.startswith(start):
        yield Sighting(asked.view.hop, Direction.TO_SERVER, seam, end, "other bytes than the preface of HTTP/2")
    elif len(rest) == _FRAME_HEAD and not _is_settings(rest):
        yield Sighting(asked.view.hop, Direction.TO_SERVER, seam, end, "no SETTINGS behind the preface")


@each_exchange
def _server_preface(asked: Asked) -> Iterator[Sighting]:
    seam, data = _after_switch(asked, Direction.TO_CLIENT)
    frame = data[:_FRAME_HEAD]
    if len(frame) == _FRAME_HEAD and not _is_settings(frame):
        yield Sighting(
            asked.view.hop, Direction.TO_CLIENT, seam, seam + len(frame), "a first frame that is no SETTINGS"
        )


@each_exchange
def _bad_settings(asked: Asked) -> Iterator[Sighting]:
    if not asked.request:
        return
    for place, value in enumerate(asked.head.fields.all(_SETTINGS)):
        payload = settings_payload(value)
        if payload is None:
            yield asked.request.line(_SETTINGS, f"an {_SETTINGS} field that is not base64url", place=place)
        elif len(payload) % SETTING_SIZE:
            yield asked.request.line(_SETTINGS, f"an {_SETTINGS} field that is no row of settings", place=place)
        elif value.endswith("="):
            yield asked.request.line(_SETTINGS, f"an {_SETTINGS} field with `=` at its end", place=place)


def _early_bytes_of(name: str) -> Check:
    """Return the check that a client offering a protocol waits for the answer."""

    @each_exchange
    def check(asked: Asked) -> Iterator[Sighting]:
        sighting = asked.early if asked.offers(name) else None
        if sighting:
            yield sighting._replace(seen=f"bytes behind an offer of {name}, before its answer")

    return check


@each_exchange
def _early_connect(asked: Asked) -> Iterator[Sighting]:
    connects = asked.head.method == "CONNECT" and "close" not in asked.options
    sighting = asked.early if connects else None
    if sighting:
        yield sighting._replace(seen="bytes behind a CONNECT, before its answer", note=True)


def _request_after_refused_connect(evidence: Evidence) -> Iterator[Sighting]:
    before: Asked | None = None
    for asked in evidence.exchanges:
        if (
            before
            and before.view is asked.view
            and before.head.method == "CONNECT"
            and before.status
            and asked.request
            and asked.answer
        ):
            yield asked.answer.first_line(f"a request is served behind a CONNECT that got {before.status}")._replace(
                note=True
            )
        before = asked


H2C: tuple[Rule, ...] = (
    Rule(
        "H01", Who.CLIENT, "RFC 7540, 3.2 and 3.2.1", Level.MUST,
        "An offer of h2c carries one HTTP2-Settings field line, no more and no less.",
        mend="send one HTTP2-Settings field line", switch=True, check=_settings_not_once,
    ),
    Rule(
        "H02", Who.SERVER, "RFC 7540, 3.2.1", Level.MUST_NOT,
        "A server switches to h2c only on a request with one HTTP2-Settings, and sends none itself.",
        mend="ignore the offer", switch=True, check=_switch_without_settings,
    ),
    Rule(
        "H03", Who.CLIENT, "RFC 7540, 3.2.1", Level.MUST,
        "Who sends HTTP2-Settings names it in the Connection field.",
        mend="send `Connection: Upgrade, HTTP2-Settings`", switch=True, check=_settings_not_named,
    ),
    Rule(
        "H04", Who.SERVER, "RFC 7540, 3.2", Level.MUST,
        "A server ignores h2 in an Upgrade field: that name is for HTTP/2 inside TLS.",
        mend="ignore the offer", switch=True, check=_switch_to_h2,
    ),
    Rule(
        "H05", Who.CLIENT, "RFC 7540, 3.2 and 3.5", Level.MUST,
        "Behind its whole request and after a 101 to h2c, a client sends the preface of HTTP/2, then a SETTINGS frame.",
        mend="begin with the 24 bytes of the preface", switch=True, check=_client_preface,
    ),
    Rule(
        "H06", Who.SENDER, "RFC 9113, 3.1", Level.FACT,
        "The upgrade to h2c and the HTTP2-Settings field are deprecated.",
    ),
    Rule(
        "H07", Who.SERVER, "RFC 7540, 3.2 and 3.5", Level.MUST,
        "After a 101 to h2c, the first frame of the server is SETTINGS.",
        mend="begin with a SETTINGS frame", switch=True, check=_server_preface,
    ),
    Rule(
        "H08", Who.CLIENT, "RFC 7540, 3.2.1", Level.MUST,
        "HTTP2-Settings is the payload of a SETTINGS frame in base64url, without `=` at its end.",
        mend="encode the settings as base64url, without padding", switch=True, check=_bad_settings,
    ),
    Rule(
        "O01", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client that has offered websocket sends nothing more until the answer has come.",
        mend="wait for the answer", switch=True, check=_early_bytes_of("websocket"),
    ),
    Rule(
        "O02", Who.CLIENT, "RFC 9931, 8", Level.MUST,
        "A client that sends CONNECT for somebody it does not trust waits for the 2xx, or says `Connection: close`.",
        mend="wait for the answer, or add `Connection: close`", switch=True, check=_early_connect,
    ),
    Rule(
        "O03", Who.CLIENT, "RFC 9931, 6.3", Level.MUST_NOT,
        "In HTTP/1.1, a client sends no packets over connect-udp before the answer.",
        mend="wait for the answer", switch=True, check=_early_bytes_of("connect-udp"),
    ),
    Rule(
        "O04", Who.CLIENT, "RFC 9484, 11", Level.MUST_NOT,
        "In HTTP/1.1, a client sends no packets over connect-ip before the answer.",
        mend="wait for the answer", switch=True, check=_early_bytes_of("connect-ip"),
    ),
    Rule(
        "O05", Who.PROXY, "RFC 9931, 8", Level.MUST,
        "A proxy that refuses a CONNECT closes and serves no further request, unless the client is known to wait.",
        mend="close after the refusal", check=_request_after_refused_connect,
    ),
)  # fmt: skip

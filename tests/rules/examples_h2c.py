"""The rules of `labkit.rules.h2c`, shown."""

from __future__ import annotations

from labkit.trace import Trace
from labkit.wire.websocket import TEXT
from tests.rules.examples_content import CONNECT, REFUSED, TUNNEL
from tests.rules.examples_http import OK, PLAIN, UDP, UDP_YES, YES
from tests.rules.traces import ANSWER, REQUEST, Example, answered, changed, crossed, head, masked, switched, without

LINE = "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
ASK = head("GET / HTTP/1.1", "Host: server.example.com", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", LINE)
H2C_YES = changed(YES, "quote/1.0", "h2c")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + bytes(8)
NEITHER = changed(ASK, f"\r\n{LINE}", "")
IP, IP_YES = (changed(data, "connect-udp", "connect-ip") for data in (UDP, UDP_YES))


def _spoken(client: bytes = PREFACE + SETTINGS, server: bytes = SETTINGS) -> Trace:
    return crossed(("c", ASK), ("s", H2C_YES), ("c", client), ("s", server))


def _early(request: bytes, answer: bytes, data: bytes, seen: str) -> Example:
    late = crossed(("c", request), ("s", answer), ("c", data))
    return Example(late, crossed(("c", request), ("c", data), ("s", answer)), seen)


EXAMPLES: dict[str, Example] = {
    "H01": Example(answered(OK, ASK), answered(OK, changed(ASK, LINE, f"{LINE}\r\n{LINE}")), "2 HTTP2-Settings"),
    "H02": Example(answered(OK, NEITHER), answered(H2C_YES, NEITHER), "no HTTP2-Settings"),
    "H03": Example(answered(OK, ASK), answered(OK, changed(ASK, ", HTTP2-Settings", "")), "no connection option"),
    "H04": Example(answered(OK, changed(ASK, "h2c", "h2")), answered(changed(YES, "quote/1.0", "h2"),
                   changed(ASK, "h2c", "h2")), "a switch to h2,"),
    "H05": Example(_spoken(), _spoken(client=SETTINGS), "other bytes than the preface"),
    "H07": Example(_spoken(), _spoken(server=PING), "no SETTINGS"),
    "H08": Example(answered(OK, ASK), answered(OK, changed(ASK, "AAMA", "A+MA")), "not base64url"),
    "O01": Example(switched(), _early(REQUEST, ANSWER, masked(TEXT, b"Hello"), "").breaks, "an offer of websocket"),
    "O02": _early(CONNECT, TUNNEL, b"Hello", "a CONNECT, before"),
    "O03": _early(UDP, UDP_YES, b"\x00\x01\x00", "an offer of connect-udp"),
    "O04": _early(IP, IP_YES, b"\x00\x01\x00", "an offer of connect-ip"),
    "O05": Example(
        crossed(("c", CONNECT), ("s", REFUSED)), crossed(("c", CONNECT), ("s", without(REFUSED, "Connection")),
        ("c", PLAIN), ("s", OK)), "served behind a CONNECT that got 400",
    ),
}  # fmt: skip

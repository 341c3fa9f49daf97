"""The rules of `labkit.rules.http`, shown."""

from __future__ import annotations

from tests.rules.traces import Example, answered, changed, crossed, head, without

ASK = head("GET / HTTP/1.1", "Host: server.example.com", "Upgrade: quote/1.0", "Connection: Upgrade")
YES = head("HTTP/1.1 101 Switching Protocols", "Upgrade: quote/1.0", "Connection: Upgrade")
PLAIN = head("GET / HTTP/1.1", "Host: server.example.com")
REQUIRED = head("HTTP/1.1 426 Upgrade Required", "Upgrade: quote/1.0", "Connection: Upgrade", "Content-Length: 0")
UDP = head(
    "GET /.well-known/masque/udp/192.0.2.6/443/ HTTP/1.1", "Host: proxy.example.com",
    "Upgrade: connect-udp", "Connection: Upgrade", "Capsule-Protocol: ?1",
)  # fmt: skip
UDP_YES = changed(YES, "quote/1.0", "connect-udp")
UDP_POST = changed(UDP, "GET", "POST")
TLS = changed(ASK, "quote/1.0", "TLS/1.0")
TLS_YES = changed(YES, "quote/1.0", "TLS/1.0, HTTP/1.1")
WAITING = changed(ASK, "GET / HTTP/1.1", "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2")
CONTINUE = head("HTTP/1.1 100 Continue")
OK = head("HTTP/1.1 200 OK", "Content-Length: 0")
EITHER = changed(ASK, "quote/1.0", "tcp, derp")

EXAMPLES: dict[str, Example] = {
    "G02": Example(answered(YES, ASK), answered(YES, without(ASK, "Connection")), "no connection option `upgrade`"),
    "G04": Example(answered(YES, ASK), answered(without(YES, "Upgrade"), ASK), "does not say"),
    "G05": Example(answered(TLS_YES, TLS), answered(changed(TLS_YES, "TLS/1.0, HTTP/1.1", "HTTP/1.1, TLS/1.0"), TLS),
                   "TLS is named behind"),
    "G06": Example(answered(YES, ASK), answered(YES, PLAIN), "offers no upgrade"),
    "G08": Example(answered(REQUIRED, ASK), answered(without(REQUIRED, "Upgrade"), ASK), "a 426 that"),
    "G10": Example(answered(UDP_YES, UDP), answered(UDP_YES, UDP_POST), "on a POST"),
    "G11": Example(answered(YES, ASK), answered(YES, changed(ASK, "/1.1", "/1.0")), "HTTP/1.0"),
    "G13": Example(
        crossed(("c", WAITING), ("s", CONTINUE), ("c", b"hi"), ("s", YES)),
        crossed(("c", WAITING), ("s", YES), ("c", b"hi")), "without the 100",
    ),
    "G33": Example(answered(OK, ASK), answered(OK, changed(ASK, "quote/1.0", "quote 1.0")), "no `name`"),
    "G34": Example(answered(YES, ASK), answered(YES, changed(ASK, ": Upgrade", ": keep alive, Upgrade")), "no token"),
    "G35": Example(answered(YES, ASK), answered(YES, changed(ASK, ": Upgrade", ": , Upgrade")), "list of Connection"),
    "G36": Example(
        answered(changed(YES, "quote/1.0", "tcp"), EITHER), answered(changed(YES, "quote/1.0", "tcp, derp"), EITHER),
        "tcp and derp",
    ),
    "G37": Example(answered(UDP_YES, UDP), answered(UDP_YES, UDP_POST), "an offer of connect-udp on a POST"),
}  # fmt: skip

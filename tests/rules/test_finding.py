"""What a finding says of itself."""

from __future__ import annotations

from labkit.rules import Finding, check, find
from labkit.trace import Direction, Hop, Trace, Transfer


def test_a_finding_prints_only_what_can_be_printed():
    """A party's name and what was seen may be hostile: nothing of it reaches a terminal as it is."""
    ask = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: quote\r\n\r\n"
    findings = check(Trace((Transfer(0, Direction.TO_SERVER, ask),), (Hop("\x1b[31mX\u202e", "server"),)))
    assert str(findings[0]).startswith("G02 MUST, \\x1b[31mX\\u202e: ")
    seen = Finding(find("G02"), "é", 0, Direction.TO_SERVER, 0, 1, "a\x07\ud800b", more=1000)
    assert str(seen) == "G02 MUST, é: a\\x07\\ud800b (and 1,000 more) (RFC 9110, 7.8)"

"""The rules of `labkit.rules.connections`, shown."""

from __future__ import annotations

from tests.rules.examples_content import CHUNKS, CONNECT, REFUSED, TUNNEL
from tests.rules.examples_http import OK, PLAIN
from tests.rules.traces import Example, answered, changed, crossed

LAST = changed(PLAIN, "Host", "Connection: close\r\nHost")
DOUBTFUL = changed(CHUNKS, "Transfer", "Content-Length: 5\r\nTransfer")
NO_PORT = changed(CONNECT, "com:80 ", "com ")

EXAMPLES: dict[str, Example] = {
    "G74": Example(crossed(("c", PLAIN + LAST), ("s", OK + OK)), crossed(("c", LAST + PLAIN), ("s", OK)), "behind one"),
    "G76": Example(crossed(("c", LAST + PLAIN), ("s", OK)), crossed(("c", LAST + PLAIN), ("s", OK + OK)), "is served"),
    "G78": Example(
        crossed(("c", DOUBTFUL + PLAIN), ("s", OK)), crossed(("c", DOUBTFUL + PLAIN), ("s", OK + OK)), "goes on"
    ),
    "G79": Example(answered(REFUSED, CONNECT), answered(REFUSED, NO_PORT), "no host and port"),
    "G80": Example(answered(REFUSED, NO_PORT), answered(TUNNEL, NO_PORT), "without a good port"),
}

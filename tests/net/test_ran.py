"""A program's run draws itself as a terminal would, and tells what it got."""

from __future__ import annotations

from labkit.net.client import ask
from labkit.net.ran import Ran, named, readable
from labkit.net.server import UpgradeServer
from labkit.trace import Trace


def test_it_draws_itself_as_a_terminal():
    """Command, both outputs, and what the exit code means."""
    ran = Ran("curl 7.88.1", "curl -i URL", 28, "it waited", b"HTTP/1.1 101\r\n\r\n", b"timed out\n", notes=("a note",))
    assert str(ran) == "$ curl -i URL\nHTTP/1.1 101\ntimed out\n[exit 28: it waited]\n[a note]"
    assert repr(ran) == "<Ran curl: no answer, exit 28>"


def test_what_the_lab_ended_has_no_code():
    """It says so in the place of the code."""
    ran = Ran("php 8.2", "php script.php", None, "it had not ended after 5 s", dropped=7)
    assert str(ran).endswith("[7 more bytes, not kept]\n[ended by the lab: it had not ended after 5 s]")


def test_much_output_is_shown_in_part():
    """A learner sees the first lines, and how many there are more."""
    ran = Ran("curl", "curl", 0, "done", b"line\n" * 100)
    assert str(ran).count("line") == 61
    assert "[40 more lines]" in str(ran)


def test_bytes_that_are_no_text_can_be_read():
    r"""What is not UTF-8, or cannot be printed, is shown as \xNN."""
    assert readable(b"\x81\x05caf\xc3\xa9\x1b[1m") == "\\x81\\x05café\\x1b[1m"


def test_the_head_is_that_of_the_trace():
    """Head and status are read from what crossed, not from what was printed."""
    with UpgradeServer() as server:
        traces = named((ask(server.url),), "curl 7.88.1")
    ran = Ran("curl 7.88.1", "curl", 0, "done", traces=(*traces, Trace(())))
    assert ran.status == 101
    assert ran.head.fields.get("Upgrade") == "websocket"
    assert ran.trace.hops[0].client == "curl 7.88.1"
    assert Ran("curl", "curl", 7, "nothing listens").head is None

"""Commands go to a browser, and answers and events come back, whatever the browser does."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from labkit.errors import Failed
from labkit.net import devtools
from labkit.net.devtools import DevTools, piped
from labkit.net.process import running_child

# What stands in for a browser: it reads commands from descriptor 3 and writes to 4, as Chromium does.
READ = """
    import json, os, sys, time
    def commands():
        left = b""
        while data := os.read(3, 1 << 16):
            *whole, left = (left + data).split(b"\\0")
            yield from map(json.loads, whole)
    def say(**message):
        data = json.dumps(message).encode() + b"\\0"
        while data:
            data = data[os.write(4, data):]
"""


def soon() -> float:
    return monotonic() + 20


@contextmanager
def playing(code: str) -> Iterator[tuple[DevTools, list]]:
    """Start a stand-in; yields the connection and the events that were heard."""
    heard: list = []
    command = piped([sys.executable, "-c", textwrap.dedent(READ) + textwrap.dedent(code)])
    with running_child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield DevTools(process, lambda name, event: heard.append((name, event))), heard


def test_a_command_is_answered_and_events_are_heard_meanwhile():
    """What comes before the answer is passed on; the answer's result is returned."""
    with playing("""
        for command in commands():
            say(method="Log.entryAdded", params={"n": command["id"]})
            say(id=command["id"], result={"was": command["method"], "got": command["params"]})
    """) as (tools, heard):
        assert tools.call("Page.navigate", soon(), url="http://a/") == {
            "was": "Page.navigate",
            "got": {"url": "http://a/"},
        }
        assert tools.call("Page.close", soon()) == {"was": "Page.close", "got": {}}
        assert heard == [("Log.entryAdded", {"n": 1}), ("Log.entryAdded", {"n": 2})]


def test_messages_may_come_in_pieces_and_together():
    """Where a message ends is told by the NUL alone, not by how reads fall."""
    with playing("""
        for piece in (b'{"method": "a", ', b'"params": {}}', b'\\0{"method": "b"}\\0{"meth', b'od": "c"}\\0'):
            os.write(4, piece)
            time.sleep(0.05)
    """) as (tools, heard):
        assert [tools.listen(soon()) for _ in range(4)] == [True, True, True, False]
        assert [name for name, _ in heard] == ["a", "b", "c"]
        assert tools.over == "it has ended"


def test_commands_are_for_the_page_once_it_is_attached():
    """The page's session goes with every command (DevTools protocol, Target.attachToTarget with flatten)."""
    with playing("""
        for command in commands():
            say(id=command["id"], result={"targetId": "T", "sessionId": "S", "of": command.get("sessionId", "")})
    """) as (tools, _):
        tools.attach(soon())
        assert tools.call("Page.enable", soon())["of"] == "S"


def test_an_answer_is_given_to_who_waits_for_it():
    """A command that was posted hears of its answer while others are waited for."""
    with playing("""
        asked = commands()
        for command in reversed([next(asked), next(asked)]):
            say(id=command["id"], result={"n": command["id"]})
    """) as (tools, _):
        answers: list = []
        tools.post("one", answers.append)
        assert tools.listen(monotonic() + 0.2) is False  # it is sent, and not answered yet
        assert tools.call("two", soon()) == {"n": 2}
        assert tools.listen(soon())
        assert [each["result"] for each in answers] == [{"n": 1}]


def test_what_the_browser_cannot_do_is_told():
    """Its own words are in the error."""
    with (
        playing("""
        for command in commands():
            say(id=command["id"], error={"code": -32601, "message": "'No.such' wasn't found"})
    """) as (tools, _),
        pytest.raises(Failed, match=r"could not do No\.such: 'No.such' wasn't found"),
    ):
        tools.call("No.such", soon())


def test_a_browser_that_ended_is_told():
    """Nobody waits for the answer of a browser that is gone."""
    with playing("") as (tools, _), pytest.raises(Failed, match=r"did not answer Page\.enable: it has ended"):
        tools.call("Page.enable", soon())


def test_a_browser_that_does_not_answer_is_told():
    """Waiting ends when its time is over."""
    with playing("time.sleep(60)") as (tools, _), pytest.raises(Failed, match="its time was over"):
        tools.call("Page.enable", monotonic() + 0.3)


def test_a_message_without_end_ends_the_connection(monkeypatch: pytest.MonkeyPatch):
    """What is kept of a message that has not ended is bounded."""
    monkeypatch.setattr(devtools, "MOST_MESSAGE", 1 << 20)
    with playing("while True: os.write(4, b'x' * 10000)") as (tools, heard):
        assert tools.listen(soon()) is False
        assert (tools.over, heard) == ("a message of more than 1 MiB came from it", [])
        assert len(tools._read) < 2 << 20


def test_a_browser_that_reads_nothing_is_no_obstacle():
    """A command that does not fit into the pipe waits, and the time is over all the same."""
    with playing("time.sleep(60)") as (tools, _), pytest.raises(Failed, match="its time was over"):
        tools.call("Runtime.evaluate", monotonic() + 0.3, expression="x" * (1 << 20))


def test_a_long_command_arrives_whole():
    """A script of a megabyte takes many writes, while the browser talks."""
    with playing("""
        for n in range(1000):
            say(method="busy", params={"text": "x" * 1000})
        for command in commands():
            say(id=command["id"], result={"length": len(command["params"]["expression"])})
    """) as (tools, heard):
        assert tools.call("Runtime.evaluate", soon(), expression="x" * (1 << 20)) == {"length": 1 << 20}
        assert len(heard) == 1000


def test_a_browser_hears_of_the_end():
    """Where the lab's end of the pipe is closed, the browser reads its end, and can end itself."""
    code = "print(sum(1 for _ in commands()), file=sys.stderr)"
    command = piped([sys.executable, "-c", textwrap.dedent(READ) + code])
    with running_child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.close()
        assert process.wait(20) == 0

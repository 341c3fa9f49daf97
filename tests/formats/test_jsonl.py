from __future__ import annotations

import contextlib
import json
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import LabError, Unreadable
from labkit.formats import jsonl
from labkit.formats.jsonl import dumps, load, loads, write
from labkit.trace import Cut, Direction, End, Gap, Hop, How, Trace, Transfer

HEAD = '{"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["client", "server"]]}\n'
ROW = {"t": 0, "hop": 0, "to": "server", "text": "x"}
WHOLE = Trace(
    (
        Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n", 0.001),
        Transfer(1, Direction.TO_CLIENT, b"\x81\x05Hello", 0.002),
        Cut(0, Direction.TO_SERVER, 1234, 0.003),
        Gap(1, Direction.TO_CLIENT, None, 0.003),
        Gap(1, Direction.TO_CLIENT, 7, 0.003),
        End(0, Direction.TO_SERVER, How.FIN, 0.004),
        End(1, Direction.TO_CLIENT, How.RESET, 0.005),
        End(1, Direction.TO_SERVER, How.ABANDONED, 0.006),
    ),
    (Hop("client", "proxy"), Hop("proxy", "server")),
    "a title",
    "a note",
)


def test_the_form_on_disk():
    """A head with its schema number, then a line per event; text where it is printable, else hexadecimal."""
    assert dumps(WHOLE).splitlines() == [
        '{"labkit": "trace", "schema": 1, "title": "a title", "note": "a note", "hops": [["client", "proxy"], ["proxy", "server"]]}',
        '{"t": 0.001, "hop": 0, "to": "server", "text": "GET / HTTP/1.1\\r\\n\\r\\n"}',
        '{"t": 0.002, "hop": 1, "to": "client", "hex": "810548656c6c6f"}',
        '{"t": 0.003, "hop": 0, "to": "server", "cut": 1234}',
        '{"t": 0.003, "hop": 1, "to": "client", "gap": null}',
        '{"t": 0.003, "hop": 1, "to": "client", "gap": 7}',
        '{"t": 0.004, "hop": 0, "to": "server", "end": "fin"}',
        '{"t": 0.005, "hop": 1, "to": "client", "end": "reset"}',
        '{"t": 0.006, "hop": 1, "to": "server", "end": "abandoned"}',
    ]


def test_what_is_written_is_read_back(tmp_path):
    """Events, times, hops, title and note come back as they were."""
    path = write(WHOLE, tmp_path / "whole.jsonl")
    back = load(path)
    assert (back.events, back.hops, back.title, back.note) == (WHOLE.events, WHOLE.hops, WHOLE.title, WHOLE.note)
    assert load(str(WHOLE.save(path))) == WHOLE


ways = st.sampled_from(list(Direction))
events = st.one_of(
    st.builds(Transfer, st.integers(0, 1), ways, st.binary(max_size=30) | st.just(b"GET / HTTP/1.1\r\n")),
    st.builds(End, st.integers(0, 1), ways, st.sampled_from(list(How))),
    st.builds(Cut, st.integers(0, 1), ways, st.integers(0, 1 << 40)),
    st.builds(Gap, st.integers(0, 1), ways, st.none() | st.integers(0, 1 << 40)),
)


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(events, max_size=12), st.text(max_size=20), st.text(max_size=20))
def test_every_trace_survives_the_round_trip(found, title, name):
    """Whatever the bytes, the names and the title are."""
    trace = Trace(tuple(found), (Hop(name, "b"), Hop("b", "c")), title)
    back = loads(dumps(trace, keep_secrets=True))
    assert back.events == trace.events
    assert (back.hops, back.title) == (trace.hops, trace.title)


def test_secrets_are_starred_out_unless_kept(tmp_path):
    """Law 8: a file to be shared leaks nothing; offsets hold."""
    trace = Trace((Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\nCookie: id=secret\r\n\r\n"),))
    assert b"Cookie: id=******\r\n" in write(trace, tmp_path / "a").read_bytes().replace(b"\\r\\n", b"\r\n")
    assert "secret" in trace.save(tmp_path / "b", keep_secrets=True).read_text()


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    """A write that fails leaves the old file and nothing beside it."""
    path = write(Trace(title="old"), tmp_path / "trace.jsonl")

    def breaks(trace):
        yield "half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jsonl, "_lines", breaks)
    with pytest.raises(LabError, match=r"trace.jsonl: cannot be written: No space left on device"):
        write(WHOLE, path)
    assert load(path).title == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["trace.jsonl"]


def test_a_written_file_has_the_rights_that_any_new_file_has(tmp_path):
    """The umask decides, as for every other program's files."""
    (tmp_path / "other").touch()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (write(WHOLE, tmp_path / "trace"), tmp_path / "other")]
    assert modes[0] == modes[1]


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path):
    """A pipe stays a pipe, a link stays a link."""
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    write(Trace(title="through"), link)
    assert link.is_symlink()
    assert load(real).title == "through"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(Trace(), pipe)
    assert os.read(reader, 1000) == HEAD.encode()
    os.close(reader)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """One line, no traceback."""
    with pytest.raises(LabError, match="No such file or directory"):
        write(WHOLE, tmp_path / "absent" / "trace.jsonl")
    with pytest.raises(LabError, match="cannot be written"):
        write(WHOLE, tmp_path / "nul\0")


def line(**changes) -> str:
    row = {**ROW, **changes}
    return json.dumps({key: value for key, value in row.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'line 1: expected {"labkit": "trace", …}, and the file is empty'),
        ("\n\n", "the file is empty"),
        ("hello\n", "line 1: expected a JSON object: Expecting value at character 1"),
        ("[1]\n", "line 1: expected a JSON object, { … }"),
        ("{}\n", 'line 1: expected {"labkit": "trace", …}: this is no trace of the lab'),
        (HEAD.replace("1,", "2,"), "line 1: schema 2 is newer than this labkit, which reads up to 1: update labkit"),
        (HEAD.replace("1,", "true,"), 'line 1: expected "schema": a whole number from 1 to 1'),
        (HEAD.replace("1,", "0,"), 'expected "schema"'),
        (HEAD.replace('[["client", "server"]]', "[]"), 'expected "hops": a list of 1 to 1000 pairs'),
        (HEAD.replace('[["client", "server"]]', '["client"]'), 'expected "hops": pairs of parties'),
        (HEAD.replace('"client"', "1"), 'expected "hops": text'),
        (HEAD.replace('"title": ""', '"title": "\\ud800"'), 'expected "title": text, and a lone surrogate is none'),
        ("[" * 100_000, "line 1: "),
        (HEAD + "[" * 100_000, "line 2: "),
        (HEAD + '{"a":' * 100_000, "line 2: "),
        (HEAD + '{"t": ' + "9" * 5000 + "}", "line 2: expected a JSON object: a number is too long"),
        (HEAD + line() + "\n\n" + line(to="proxy"), 'line 4: expected "to": "server" or "client"'),
        (HEAD + line(hop=1), 'line 2: expected "hop": a whole number from 0 to 0'),
        (HEAD + line(hop=-1), 'expected "hop"'),
        (HEAD + line(hop=True), 'expected "hop"'),
        (HEAD + line(t=float("nan")), 'line 2: expected "t": a number of seconds'),
        (HEAD + line(t=float("inf")), 'expected "t"'),
        (HEAD + line(t=10**400), 'expected "t"'),
        (HEAD + line(t="0"), 'expected "t"'),
        (HEAD + line(t=...), 'expected "t", "hop", "to" and one of "text", "hex", "end", "cut", "gap"'),
        (HEAD + line(hex="00"), "and one of"),
        (HEAD + line(text=..., byte="00"), "and one of"),
        (HEAD + line(text="\u00e9"), 'expected "text": ASCII alone'),
        (HEAD + line(text="\ud800"), 'expected "text": ASCII alone'),
        (HEAD + line(text=1), 'expected "text": a string'),
        (HEAD + line(text=..., hex="0"), 'expected "hex": an even number of hexadecimal digits'),
        (HEAD + line(text=..., hex="zz"), 'expected "hex"'),
        (HEAD + line(text=..., end="closed"), 'expected "end": "fin", "reset" or "abandoned"'),
        (HEAD + line(text=..., end=[]), 'expected "end"'),
        (HEAD + line(text=..., cut=-1), 'expected "cut": a number of bytes'),
        (HEAD + line(text=..., cut=None), 'expected "cut"'),
        (HEAD + line(text=..., gap=1 << 70), 'expected "gap": a number of bytes'),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_in_one_line(tmp_path, text, words):
    """The file, the line and what was expected; never a traceback of another kind."""
    path = tmp_path / "wrong.jsonl"
    path.write_text(text)
    with pytest.raises(Unreadable) as found:
        load(path)
    message = str(found.value)
    assert message.startswith(f"{path}, line ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "a directory, not a trace file"),
        (lambda path: path.write_bytes(bytes(range(256)) * 4), "line 1: expected a JSON object"),
        (lambda path: path.write_bytes(b"\xd4\xc3\xb2\xa1\x02\x00"), "line 1: expected JSON in UTF-8"),
        (lambda path: path.write_bytes(HEAD.encode() + b"\xff\n"), "line 2: expected JSON in UTF-8"),
    ],
)
def test_what_is_no_text_file_is_told_in_one_line(tmp_path, make, words):
    """Missing, a directory, a binary capture."""
    path = tmp_path / "wrong.jsonl"
    make(path)
    with pytest.raises(Unreadable) as found:
        load(path)
    assert str(found.value).startswith(str(path))
    assert words in str(found.value)


def test_a_path_that_no_file_can_have_is_told(tmp_path):
    """A NUL in a name is no reason for a traceback."""
    with pytest.raises(Unreadable, match="cannot be read"):
        load(tmp_path / "nul\0")


def test_sizes_are_bounded(tmp_path, monkeypatch):
    """A file or a line beyond the limit is refused before it fills the memory."""
    path = write(WHOLE, tmp_path / "trace.jsonl")
    monkeypatch.setattr(jsonl, "_LONGEST_LINE", 100)
    with pytest.raises(Unreadable, match="line 1: longer than a trace may be"):
        load(path)
    monkeypatch.setattr(jsonl, "LARGEST", 50)
    with pytest.raises(Unreadable, match="at most 50 are read"):
        load(path)


def test_an_endless_file_is_refused():
    """A device that never ends has no size, and no line end either."""
    with pytest.raises(Unreadable, match="/dev/zero, line 1"):
        load("/dev/zero")


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda data: HEAD + data.decode("latin-1")))
def test_any_text_is_a_trace_or_unreadable(text):
    """No other error leaves the reader."""
    with contextlib.suppress(Unreadable):
        assert isinstance(loads(text), Trace)


@pytest.mark.parametrize(
    ("name", "shown"), [("a\nb", r"a\nb"), ("a\x1b[1mb", r"a\x1b[1mb"), ("\udcff", r"\udcff"), ("é", "é")]
)
@pytest.mark.parametrize("use", [load, lambda path: write(WHOLE, path / "x")], ids=["load", "write"])
def test_a_name_is_told_in_one_line(name, shown, use, tmp_path):
    """A line end, or what else cannot be shown in a file's name, is escaped in the message."""
    with pytest.raises(LabError) as caught:
        use(tmp_path / name)
    assert shown in str(caught.value)
    assert str(caught.value).isprintable()

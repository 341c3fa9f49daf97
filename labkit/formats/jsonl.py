r"""A trace as JSON Lines: one line for the whole, then one line per event.

    {"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["client", "server"]]}
    {"t": 0.001, "hop": 0, "to": "server", "text": "GET / HTTP/1.1\r\n\r\n"}
    {"t": 0.002, "hop": 0, "to": "client", "hex": "8105 …"}
    {"t": 0.003, "hop": 0, "to": "client", "end": "fin"}        or "reset", "abandoned"
    {"t": 0.003, "hop": 0, "to": "server", "cut": 1234}         bytes beyond the recording limit
    {"t": 0.003, "hop": 0, "to": "server", "gap": null}         bytes that a capture misses; null: unknown

Bytes stand as `text` where they are printable ASCII and line ends, else in hexadecimal. Times are in
seconds since the recording began. A reader refuses what it does not know: files are told apart by
their schema number, not by guessing.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from labkit.dissection.secrets import masked
from labkit.errors import LabError, Unreadable
from labkit.trace import Cut, Direction, End, Event, Gap, Hop, How, Trace, Transfer

__all__ = ["LARGEST", "SCHEMA", "dumps", "load", "loads", "write"]

SCHEMA = 1
LARGEST = 256 << 20
"""The largest file that is read, in bytes."""

_TEXT = re.compile(rb"[\r\n -~]+")
_MOST_HOPS = 1000
_LONGEST_LINE = 64 << 20  # bytes; one line is held in memory whole, several times over


def dumps(trace: Trace, *, keep_secrets: bool = False) -> str:
    """Return a trace as JSON Lines.

    >>> print(dumps(Trace((End(0, Direction.TO_CLIENT, How.FIN),))), end="")
    {"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["client", "server"]]}
    {"t": 0.0, "hop": 0, "to": "client", "end": "fin"}
    """
    return "".join(_lines(trace if keep_secrets else masked(trace)))


def write(trace: Trace, path: str | Path, *, keep_secrets: bool = False) -> Path:
    """Write a trace as JSON Lines; the file is there whole or not at all.

    Args:
        trace: what crossed.
        path: where to; a file that is there already is replaced.
        keep_secrets: write cookies, authorisation and tokens too, which are starred out otherwise.

    Returns:
        The path written to.

    Raises:
        LabError: the file cannot be written.
    """
    target = Path(path)
    lines = _lines(trace if keep_secrets else masked(trace))
    try:
        if target.exists() and not target.is_file():  # a pipe or a terminal: nothing to replace
            with target.open("w", encoding="ascii", newline="\n") as file:
                file.writelines(lines)
        else:
            _replace(target.resolve(), lines)
    except (OSError, ValueError) as error:  # a ValueError: a path that no file can have
        reason = error.strerror if isinstance(error, OSError) else None
        raise LabError(f"{_shown(target)}: cannot be written: {reason or error}") from None
    return target


def _replace(target: Path, lines: Iterable[str]) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}-{id(lines):x}")
    try:
        with beside.open("x", encoding="ascii", newline="\n") as file:
            file.writelines(lines)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _lines(trace: Trace) -> Iterator[str]:
    hops = [[_sound(hop.client), _sound(hop.server)] for hop in trace.hops]
    title, note = _sound(trace.title), _sound(trace.note)
    yield json.dumps({"labkit": "trace", "schema": SCHEMA, "title": title, "note": note, "hops": hops}) + "\n"
    for event in trace.events:
        time = round(event.time, 9) if math.isfinite(event.time) else 0.0
        row = {"t": time, "hop": event.hop, "to": str(event.direction), **_body(event)}
        yield json.dumps(row) + "\n"


def _sound(words: str) -> str:
    return words.encode("utf-8", "replace").decode()  # a lone surrogate cannot be written as UTF-8


def _body(event: Event) -> dict[str, Any]:
    if isinstance(event, Transfer):
        if _TEXT.fullmatch(event.data):
            return {"text": event.data.decode("ascii")}
        return {"hex": event.data.hex()}
    if isinstance(event, End):
        return {"end": str(event.how)}
    return {"cut" if isinstance(event, Cut) else "gap": event.length}


def load(path: str | Path) -> Trace:
    """Read a trace from JSON Lines.

    Raises:
        Unreadable: the file is not there or is not a trace; one line says where and what was expected.
    """
    source = Path(path)
    name = _shown(source)
    try:
        if source.is_dir():
            raise Unreadable(f"{name}: a directory, not a trace file")
        size = source.stat().st_size
        if size > LARGEST:
            raise Unreadable(f"{name}: {size} bytes; at most {LARGEST} are read")
        with source.open("rb") as file:
            return _read(_decoded(file, name), name)
    except (OSError, ValueError) as error:  # a ValueError: a path that no file can have
        reason = error.strerror if isinstance(error, OSError) else None
        raise Unreadable(f"{name}: cannot be read: {reason or error}") from None


def _shown(path: Path) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(path))


def loads(text: str, name: str = "text") -> Trace:
    """Read a trace from a string of JSON Lines; errors call it `name`.

    >>> loads(dumps(Trace(title="nothing"))).title
    'nothing'
    """
    return _read(enumerate(text.split("\n"), 1), name)


def _decoded(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    total = 0
    lines = iter(lambda: file.readline(_LONGEST_LINE + 1), b"")
    for number, line in enumerate(lines, 1):
        total += len(line)
        if len(line) > _LONGEST_LINE or total > LARGEST:
            raise Unreadable(f"{name}, line {number}: longer than a trace may be")
        try:
            yield number, line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise Unreadable(f"{name}, line {number}: expected JSON in UTF-8, found other bytes") from None


class _WrongError(Exception):
    """What was expected, where something else stands."""


def _read(lines: Iterable[tuple[int, str]], name: str) -> Trace:
    rows = ((number, line) for number, line in lines if line.strip())
    events: list[Event] = []
    head: Trace | None = None
    for number, line in rows:
        try:
            row = _json(line)
            if head is None:
                head = _head(row)
            else:
                events.append(_event(row, len(head.hops)))
        except _WrongError as wrong:
            raise Unreadable(f"{name}, line {number}: {wrong}") from None
    if head is None:
        raise Unreadable(f'{name}, line 1: expected {{"labkit": "trace", …}}, and the file is empty')
    return Trace(tuple(events), head.hops, head.title, head.note)


def _json(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except RecursionError:
        raise _WrongError("nested too deeply for a trace") from None
    except ValueError as error:
        reason = "a number is too long"
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg} at character {error.pos + 1}"
        raise _WrongError(f"expected a JSON object: {reason}") from None
    if not isinstance(row, dict):
        raise _WrongError("expected a JSON object, { … }")
    return row


def _head(row: dict[str, Any]) -> Trace:
    if row.get("labkit") != "trace":
        raise _WrongError('expected {"labkit": "trace", …}: this is no trace of the lab')
    schema = row.get("schema")
    if type(schema) is not int or schema < 1:
        raise _WrongError(f'expected "schema": a whole number from 1 to {SCHEMA}')
    if schema > SCHEMA:
        raise _WrongError(f"schema {schema} is newer than this labkit, which reads up to {SCHEMA}: update labkit")
    hops = row.get("hops")
    if not isinstance(hops, list) or not 1 <= len(hops) <= _MOST_HOPS:
        raise _WrongError(f'expected "hops": a list of 1 to {_MOST_HOPS} pairs of parties')
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in hops):
        raise _WrongError('expected "hops": pairs of parties, ["client", "server"]')
    found = [Hop(_words(pair[0], "hops"), _words(pair[1], "hops")) for pair in hops]
    return Trace((), tuple(found), _words(row.get("title", ""), "title"), _words(row.get("note", ""), "note"))


def _words(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _WrongError(f'expected "{key}": text')
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise _WrongError(f'expected "{key}": text, and a lone surrogate is none')
    return value


_KINDS = ("text", "hex", "end", "cut", "gap")


def _event(row: dict[str, Any], hops: int) -> Event:
    kinds = [key for key in _KINDS if key in row]
    if len(kinds) != 1 or len(row) != 4 or not row.keys() >= {"t", "hop", "to"}:
        raise _WrongError('expected "t", "hop", "to" and one of ' + ", ".join(f'"{key}"' for key in _KINDS))
    time, hop, to = row["t"], row["hop"], row["to"]
    if type(time) not in (int, float) or not _finite(time):
        raise _WrongError('expected "t": a number of seconds')
    if type(hop) is not int or not 0 <= hop < hops:
        raise _WrongError(f'expected "hop": a whole number from 0 to {hops - 1}')
    if to not in ("server", "client"):
        raise _WrongError('expected "to": "server" or "client"')
    return _make(kinds[0], row[kinds[0]], hop, Direction(to), float(time))


def _finite(time: float) -> bool:
    try:
        return math.isfinite(time)
    except OverflowError:
        return False


def _make(kind: str, value: Any, hop: int, way: Direction, time: float) -> Event:
    if kind in ("text", "hex"):
        return Transfer(hop, way, _bytes(kind, value), time)
    if kind == "end":
        if value not in tuple(How):
            raise _WrongError('expected "end": "fin", "reset" or "abandoned"')
        return End(hop, way, How(value), time)
    if kind == "gap" and value is None:
        return Gap(hop, way, None, time)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise _WrongError(f'expected "{kind}": a number of bytes')
    return Cut(hop, way, value, time) if kind == "cut" else Gap(hop, way, value, time)


def _bytes(kind: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise _WrongError(f'expected "{kind}": a string')
    try:
        return value.encode("ascii") if kind == "text" else bytes.fromhex(value)
    except UnicodeEncodeError:
        raise _WrongError('expected "text": ASCII alone; other bytes belong into "hex"') from None
    except ValueError:
        raise _WrongError('expected "hex": an even number of hexadecimal digits') from None

"""The record: what a learner predicted, answered and tried, in one small file that can be taken away and brought back.

One entry is one line of JSON (JSON Lines), and lines are only ever added, in one write: so two notebooks, which are
two kernels, can share the file. It is the one that the environment names in `LABKIT_RECORD`, as `labkit lab` and Binder
have it. Where none is named the record lives in this kernel's memory, and nothing is written anywhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from labkit.errors import Unreadable, WrongUse

__all__ = [
    "FILE", "KINDS", "MOST_BYTES", "MOST_SAVED", "VARIABLE", "Entry", "entries", "forget", "merge", "note", "place",
    "save", "text",
]  # fmt: skip

VARIABLE = "LABKIT_RECORD"
"""What the environment calls the path of the file."""

FILE = "labkit-record.jsonl"
"""The file's name, in the learner's folder."""

KINDS = ("prediction", "came", "answer", "variation")
"""What is recorded: a prediction, what came of it, an answer to an exercise, a variation of the workbench."""

MOST_BYTES = 1024 * 1024
"""How long the file can become; a course of predictions and answers takes some tens of kilobytes."""

MOST_SAVED = 4 * MOST_BYTES
"""How long a saved one can be: it holds what the file has, and what was kept in memory."""

_MOST_LINE = 128 * 1024  # bytes: a variation holds the text of two configurations
_VERSION = 1  # of the lines; a reader leaves a newer one alone
_MARK = b"\xef\xbb\xbf"  # a byte-order mark, which some editors put before the text
_NAME = re.compile(r"[\w.][\w. -]{0,79}")


class Entry(NamedTuple):
    """One line of the record.

    Args:
        kind: one of `KINDS`.
        name: of the prediction, the exercise or the variation, such as "02.famous".
        value: what was predicted, answered or tried: what JSON can hold.
        at: when, in UTC, as ISO 8601 writes it.
    """

    kind: str
    name: str
    value: Any
    at: str = ""

    @property
    def line(self) -> str:
        """The entry as the file has it, without a line end."""
        whole = {"labkit": _VERSION, **self._asdict()}
        return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class _Kept(NamedTuple):
    """What is kept beside the file: entries that it could not take, and why."""

    entries: list[Entry]
    reasons: list[str]


_KEPT = _Kept([], [])


def note(kind: str, name: str, value: object) -> None:
    """Add an entry to the record.

    Where the file cannot be written, or is full, the entry is kept in memory, and `place` says so.

    Args:
        kind: one of `KINDS`.
        name: of what it belongs to: letters, digits, dots, blanks and hyphens, 80 at the most.
        value: what JSON can hold: text, numbers, True, False, None, and lists and dicts of them.

    Raises:
        WrongUse: the kind is none, the name is odd, JSON cannot hold the value, or it is too long.

    >>> note("prediction", "00.example", 101)
    >>> entries()[-1].value
    101
    >>> forget()
    """
    if kind not in KINDS:
        raise WrongUse(f"the record has entries of the kinds {', '.join(KINDS)}, not {kind!r}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WrongUse(f"an entry's name is a short one, such as 02.famous, not {str(name)[:80]!r}")
    entry = Entry(kind, name, value, datetime.now(UTC).isoformat())
    try:
        size = len(entry.line.encode())
    except (TypeError, ValueError, RecursionError) as error:  # the last: a list within itself
        raise WrongUse(f"{name}: the record holds text, numbers and lists of them, not this: {error}") from None
    if size > _MOST_LINE:
        raise WrongUse(f"{name}: {size} bytes are too long for the record, which takes {_MOST_LINE} at the most")
    _add([Entry(*json.loads(json.dumps(entry)))])  # a copy: what the caller changes later is not what was recorded


def entries() -> tuple[Entry, ...]:
    """Return all entries, in the order in which they were made; lines of the file that are broken are left out."""
    found = [*_read(_file_bytes()), *_KEPT.entries]
    return tuple(sorted(found, key=lambda entry: entry.at))


def text() -> str:
    """Return the record as a file has it: what is downloaded."""
    return "".join(f"{entry.line}\n" for entry in entries())


def save(path: Path) -> None:
    """Write the whole record into a file; a record that is there already keeps its lines, and gets the new ones.

    Raises:
        WrongUse: what is there is no record.
        OSError: it cannot be written there; what was there is left as it was.
    """
    before = path.read_bytes() if path.exists() else b""
    if before.strip() and not any(_read(before)):
        raise WrongUse(f"{path} is there already, and is no record of labkit's; give it another name")
    lines = [line for line in before.removeprefix(_MARK).splitlines() if line.strip()]
    there = {entry.line for entry in _read(before)}
    lines += [entry.line.encode() for entry in entries() if entry.line not in there]
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(b"".join(line + b"\n" for line in lines))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def merge(data: bytes) -> int:
    """Take in a record that was saved before, and return how many of its entries are new.

    Raises:
        Unreadable: it is too long, is no record, or a newer labkit made it.

    >>> merge(b"")
    Traceback (most recent call last):
    labkit.errors.Unreadable: this is no record of labkit's: it has no line that could be read
    """
    if len(data) > MOST_SAVED:
        raise Unreadable(f"this file is too long: a record of labkit's has {MOST_SAVED} bytes at the most")
    found = list(_read(data))
    if not found:
        newer = re.search(rb'\A\s*\{"labkit":\s*(\d{1,9})\b', data)
        if newer and int(newer[1]) > _VERSION:
            raise Unreadable("this record was made by a newer labkit; bring this one up to date first")
        raise Unreadable("this is no record of labkit's: it has no line that could be read")
    there = {entry.line for entry in entries()}
    fresh = {entry.line: entry for entry in found if entry.line not in there}
    _add(fresh.values())
    return len(fresh)


def place() -> str:
    """Say in one sentence where the record is kept, without a path, and what could not be written."""
    file = _file()
    if file is None:
        return "It is kept in this kernel's memory, and gone when the kernel stops."
    left = f" In memory alone, since then: {len(_KEPT.entries)}; {_KEPT.reasons[-1]}." if _KEPT.reasons else ""
    return f"It is kept in {file.name}.{left}"


def forget() -> None:
    """Empty what is kept in memory; a file is left alone."""
    _KEPT.entries.clear()
    _KEPT.reasons.clear()


def _file() -> Path | None:
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def _file_bytes() -> bytes:
    file = _file()
    try:
        if file is None or not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES)
    except OSError:
        return b""


def _read(data: bytes) -> Iterator[Entry]:
    for line in data.removeprefix(_MARK).split(b"\n"):
        with suppress(ValueError, RecursionError):
            found = json.loads(line.decode())
            if isinstance(found, dict) and found.get("labkit") == _VERSION and len(line) <= _MOST_LINE:
                kind, name, at = (str(found.get(field, "")) for field in ("kind", "name", "at"))
                entry = Entry(kind, name, found.get("value"), at)
                entry.line.encode()  # what could be read and not be written again (NaN, half a character) is left out
                if kind in KINDS and _NAME.fullmatch(name):
                    yield entry


def _add(fresh: Iterable[Entry]) -> None:
    """Append to the file in one write; what it cannot take goes into memory, the oldest there giving way."""
    new = list(fresh)
    file = _file()
    try:
        if file is not None:
            _append(file, "".join(f"{entry.line}\n" for entry in new).encode())
            return
    except OSError as error:
        _KEPT.reasons[:] = [f"{file.name if file else ''}: {error.strerror or error}"]
    _KEPT.entries.extend(new)
    while sum(len(entry.line) for entry in _KEPT.entries) > MOST_BYTES:
        del _KEPT.entries[0]


def _append(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size + len(data) > MOST_BYTES:
            raise OSError(f"it is full ({MOST_BYTES} bytes); move it away, and a new one is begun")
        if size and _last_byte(descriptor, size) != b"\n":
            data = b"\n" + data  # a kernel was killed while it wrote
        if os.write(descriptor, data) < len(data):
            os.ftruncate(descriptor, size)  # half a line is no entry
            raise OSError("the disk is full")
    finally:
        os.close(descriptor)


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)

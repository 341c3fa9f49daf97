"""Printed forms, executed as a reader would, and their bytes held against the offered ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.net.process import clean_environment
from labkit.net.programs import find
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.snippets import Snippet
from labkit.trace import Direction, Trace
from labkit.wire.upgrade import SAMPLE_KEY

PATIENCE = 30  # seconds for a program on a busy machine
COMMANDS = {
    "curl": lambda text, folder: ["bash", "-c", text],
    "php": lambda text, folder: ["php", file_of(text, folder, "snippet.php")],
    "websockets": lambda text, folder: [sys.executable, file_of(text, folder, "snippet_w.py")],
    "socket": lambda text, folder: [sys.executable, "-I", file_of(text, folder, "snippet_s.py")],
}


def need(program: str) -> None:
    """Skip where a program is absent; on CI it has to be there."""
    if not find(program):
        if os.environ.get("CI"):
            pytest.fail(f"CI has to have {program}")
        pytest.skip(f"{program} is not on this machine")


def file_of(text: str, folder: Path, name: str) -> str:
    path = folder / name
    path.write_text(text, "ascii")  # whatever is in it, a snippet is plain ASCII
    return str(path)


def execute(snippet: Snippet, folder: Path, code: int | None = 0) -> str:
    """Run a snippet; return what it printed."""
    if snippet.form in ("curl", "php"):
        need(snippet.form)
    done = subprocess.run(
        COMMANDS[snippet.form](snippet.text, folder), capture_output=True, timeout=PATIENCE, env=clean_environment(),
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if code is not None:
        assert done.returncode == code, (done.stdout, done.stderr)
    assert b"Traceback" not in done.stderr, done.stderr
    assert snippet.form != "php" or not re.search(
        rb"^(Warning|Deprecated|Notice|Fatal|Parse)", done.stdout, re.MULTILINE
    )
    return done.stdout.decode("latin-1")


def received(server: UpgradeServer) -> bytes:
    return stream(server.trace)


def stream(trace: Trace) -> bytes:
    return trace.stream(Direction.TO_SERVER)


def check_same(offer: Offer, snippet: Snippet, got: bytes) -> None:
    """Check that what arrived, less what the snippet says it adds, is what was offered, the key aside."""
    offered = offer.to_bytes()
    if snippet.form == "socket":
        assert keyless(got, drawn=SAMPLE_KEY.encode() in offered and offer.raw is None) == keyless(offered)
        return
    first, *lines = head_of(got)
    wanted_first, *wanted = head_of(offered)
    assert first == wanted_first
    own = {line.partition(":")[0].encode() for line in snippet.adds if re.match(r"[\w-]+: ", line)}
    assert {line.partition(b":")[0] for line in lines} >= own
    lines = [line for line in lines if line.partition(b":")[0] not in own]
    if "no space behind the colon of an empty field value" in snippet.adds:
        lines = [re.sub(rb":$", b": ", line) for line in lines]
    if snippet.form in OWN_KEY or SAMPLE_KEY.encode() in offered:
        assert SAMPLE_KEY.encode() not in got
        lines, wanted = [keyless(line) for line in lines], [keyless(line) for line in wanted]
    if "the field lines stand in another order" in snippet.adds:
        assert lines != wanted
        lines, wanted = sorted(lines), sorted(wanted)
    assert lines == wanted
    assert got.partition(b"\r\n\r\n")[2] == offer.content


OWN_KEY = ("websockets", "javascript")  # their clients draw the key, whatever was offered
KEYED = re.compile(rb"(?<=^Sec-WebSocket-Key: )[A-Za-z0-9+/]{22}==", re.MULTILINE)


def keyless(data: bytes, *, drawn: bool = False) -> bytes:
    assert not drawn or SAMPLE_KEY.encode() not in data
    return KEYED.sub(b"KEY", data)


def head_of(data: bytes) -> list[bytes]:
    return data.partition(b"\r\n\r\n")[0].split(b"\r\n")

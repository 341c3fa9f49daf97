"""The controls below the record: what the link saves, what the button takes in, and what is said of it."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

import pytest

from labkit.errors import Unreadable
from labkit.widgets.keeping import Keeping

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def keeping() -> Keeping:
    """Make controls for a record of lines; whatever holds a zero byte is none."""
    lines = ["one\n"]

    def taken(data: bytes) -> str:
        if b"\0" in data:
            raise Unreadable("this is no <record>")
        lines.append(data.decode())
        return f"{len(lines)} lines"

    return Keeping("mine.jsonl", lambda: "".join(lines), taken)


def saved(keeping: Keeping) -> bytes:
    return base64.b64decode(re.search(r'href="data:application/jsonl;base64,([^"]+)"', keeping.link.value)[1])


def chosen(keeping: Keeping, data: bytes) -> None:
    """Do what the browser does when a file was chosen."""
    file = {"name": "x.jsonl", "type": "", "size": len(data), "content": memoryview(data), "last_modified": NOW}
    keeping.load.set_trait("value", (file,))


def test_the_link_saves_the_whole_record(keeping: Keeping):
    """It has the record in it, under its name; no server has part in it."""
    assert saved(keeping) == b"one\n"
    assert 'download="mine.jsonl"' in keeping.link.value


def test_what_was_taken_in_is_said_and_saved_again(keeping: Keeping):
    """A file is taken in, and the link has it from then on; the same file can be chosen a second time."""
    chosen(keeping, b"two\n")
    assert "2 lines" in keeping.said.value
    assert saved(keeping) == b"one\ntwo\n"
    chosen(keeping, b"two\n")
    assert "3 lines" in keeping.said.value


def test_a_file_that_is_none_is_told_beside_the_button(keeping: Keeping):
    """The sentence stands in the alert, and goes when a right file follows; nothing is raised."""
    chosen(keeping, b"\0")
    assert "this is no &lt;record&gt;" in keeping.alert.widget.value
    assert keeping.said.value == ""
    chosen(keeping, b"two\n")
    assert keeping.alert.text == ""


def test_a_viewer_without_widgets_shows_nothing(keeping: Keeping):
    """The output is the live view alone; the table above it is what a saved notebook keeps."""
    assert list(keeping.bundle()) == [VIEW]

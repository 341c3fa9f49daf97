"""The pictures of a cut and of all cuts say what the readings say."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from labkit.reads import Kind, Reading, Seam, mended, naive
from labkit.render.reads import one_cut, outcome, strip, tally
from labkit.wire.websocket import TEXT, frame
from tests.render.test_svg import SVG, boxes

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
SEAMS = {
    "short": Seam(HEAD + frame(TEXT, b"early"), len(HEAD)),
    "long": Seam(HEAD + frame(TEXT, b"a message of more bytes than are drawn"), len(HEAD)),
    "empty": Seam(HEAD + frame(TEXT, b""), len(HEAD)),
}
ODD = {"a reader with a very long name": lambda recv: 1 / 0, "other": lambda recv: b"xyz"}
CUTS = [
    (name, place) for name, seam in SEAMS.items()
    for place in (1, 40, seam.at - 3, seam.at - 1, seam.at, seam.at + 1, len(seam.data) - 1, len(seam.data))
]  # fmt: skip


def pictures(seam: Seam, place: int):
    readers = {"naive": naive, "mended": mended, **ODD}
    yield one_cut(seam, place, {name: seam.read(reader, place) for name, reader in readers.items()})
    yield strip(seam, {name: seam.every(reader) for name, reader in readers.items()})


def overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(("name", "place"), CUTS)
def test_no_text_is_cut_or_covers_another(name: str, place: int):
    """By the widths that are estimated from above, every label is on the canvas and in a place of its own."""
    for picture in pictures(SEAMS[name], place):
        for source in (picture.light, picture.dark):
            root = ET.fromstring(source)
            found = boxes(root)
            for left, top, right, bottom, words in found:
                assert left >= 0, words
                assert right <= float(root.attrib["width"]), words
                assert bottom <= float(root.attrib["height"]), words
                covered = [each for each in found if each[4] is not words and overlap(each, (left, top, right, bottom))]
                assert covered == [], words


def test_the_picture_has_a_title_and_says_all_in_words():
    """A screen reader gets what the picture shows; the table has a row for each reader."""
    picture = next(pictures(SEAMS["short"], 40))
    assert ET.fromstring(picture.light).find(f"{SVG}title").text == "Where the reads fall"
    assert 'alt="Reads of 40 and' in picture.image()
    assert "the frame is lost: 7 bytes" in picture.words
    assert [row[0] for row in picture.rows] == ["naive", "mended", "a reader with a v…", "other"]
    assert "ZeroDivisionError" in picture.html()


def test_a_torn_frame_is_read_as_what_it_is_not():
    """A reader of frames takes what it is given: inside a frame it finds another opcode and length."""
    seam = SEAMS["short"]
    assert outcome(seam, seam.read(naive, seam.at + 1)).endswith("05 65 announces more than comes: it waits")
    assert outcome(seam, Reading(Kind.WRONG, b"\x81\x01x")) == 'other bytes arrive: text "x"'


def test_the_tally_counts_every_kind():
    """What never happened is left out, but for the frame that should arrive."""
    assert tally([Reading(Kind.LOST)]) == "✓ 0 of 1: the frame arrives; ✗ 1: the frame is lost"

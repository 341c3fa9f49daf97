"""HTTP/2 in every output: the diagram as text, SVG and Mermaid, the table of bytes, folding, and limits."""

from __future__ import annotations

import time

import pytest

from labkit.dissection import dissect
from labkit.render.diagram import diagram
from labkit.render.explain import explain
from labkit.render.headline import description, headline
from labkit.wire.http2 import DATA, END_STREAM, HEADERS, PING, WINDOW_UPDATE, frame, settings
from tests.render.exchanges import REPLY
from tests.render.http2_exchanges import ACKED, CONTENT, OPENING, asked, h2c, head, ok, prior, told

WORDS = [
    "HTTP/2 preface", "SETTINGS 3 settings", "MAX_CONCURRENT_STREAMS 100", "SETTINGS ack",
    "HEADERS stream 1 :status 200, end of head", "DATA stream 1, 28 bytes, end of stream", "GOAWAY NO_ERROR",
]  # fmt: skip


def test_a_learner_sees_what_follows_the_101():
    """Every frame of curl --http2 is an arrow with its words, in each form of the diagram."""
    drawn = diagram(told())
    for picture in (drawn.text(), drawn.svg()):
        assert [words for words in WORDS if words not in picture] == []
    assert "DATA stream 1" in drawn.mermaid()
    assert "opaque" not in drawn.text()
    assert "3 frames from the client and 5 frames from the server" in description(dissect(told()))


def test_prior_knowledge_has_no_steps():
    """Without a 101 there is no switch, so no step is numbered."""
    trace = prior(asked(), settings() + ACKED + ok())
    assert headline(dissect(trace)) == "No HTTP/1.1: HTTP/2 from the first byte"
    assert " 4 " not in diagram(trace).text()


def test_every_byte_is_explained():
    """The table has a row for each field, and the rows, joined, are the bytes."""
    trace = told()
    table = explain(trace, most=1000)
    shown = table.html()
    for words in ("R, stream identifier", "END_STREAM", ":status: 200", "entry 8 of the static table", "NO_ERROR"):
        assert words in shown
    rows = [row for section in table.sections if "server → client" in section.heading for row in section.rows]
    assert sum(row.size for row in rows) == len(trace.stream(REPLY))
    assert "R, stream identifier" in str(table)


def test_secrets_are_starred_in_every_output():
    """A cookie in a field block is no more readable than one in a head of HTTP/1.1."""
    trace = prior(
        asked("/?token=hushhush", ("cookie", "id=hushhush")), settings() + ok(("set-cookie", "id=hushhush; Path=/"))
    )
    for shown in (diagram(trace).text(), diagram(trace).svg(), str(explain(trace)), explain(trace).html()):
        assert "hushhush" not in shown
    assert "hushhush" in diagram(trace, keep_secrets=True).text()


def test_faults_are_marked():
    """DATA on stream 0 and a field of the connection stand with their clauses in the diagram."""
    text = diagram(
        h2c(OPENING, settings() + frame(DATA, 0, 0, b"x") + head((":status", "200"), ("upgrade", "h2c")))
    ).text()
    flat = " ".join(text.replace("│", " ").split())
    assert "DATA belongs to a stream, and stream 0 is the connection (RFC 9113, 6.1)" in flat
    assert "(RFC 9113, 8.2.2)" in flat


def test_bytes_that_are_no_http2_are_one_message():
    """The fault is told once, not line by line."""
    text = diagram(h2c(b"a\nb\nc\n", b"")).text()
    assert text.count("the 24 bytes of the preface") == 1


@pytest.mark.parametrize(
    ("asks", "replies", "words"),
    [
        (frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x1c") * 500, ok() + frame(DATA, 0, 1, CONTENT) * 500,
         "more DATA or WINDOW_UPDATE frames"),
        (frame(PING, 1, 0, bytes(8)) * 500, frame(PING, 0, 0, bytes(8)) * 500, "more PING frames"),
    ],
)  # fmt: skip
def test_long_runs_are_folded(asks, replies, words):
    """Like frames are counted; the DATA that ends its stream is always drawn."""
    end = frame(DATA, END_STREAM, 1, b"end")
    text = diagram(h2c(OPENING + asks, settings() + replies + end)).text()
    assert words in text
    assert "end of stream" in text
    assert text.count("\n") < 80


def test_a_hundred_thousand_frames_are_drawn_in_time_and_size():
    """The limits of the diagram hold for HTTP/2: the processor's time, whatever else the machine does."""
    pair = frame(HEADERS, 5, 1, b"\x82\x86\x84")
    began = time.process_time()
    drawn = diagram(prior(pair * 50_000, settings() + frame(DATA, 0, 0, b"x") * 50_000))
    assert len(drawn.svg()) < 300_000
    assert time.process_time() - began < 20

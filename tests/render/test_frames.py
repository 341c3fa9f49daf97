from __future__ import annotations

import pytest

from labkit.dissection import dissect
from labkit.render.frames import frame_arrow
from labkit.wire.http2 import ACK, CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PING, SETTINGS, frame, settings
from labkit.wire.websocket import CLOSE, TEXT, close_payload
from labkit.wire.websocket import frame as websocket
from tests.render.exchanges import REPLY, switched
from tests.render.http2_exchanges import OPENING, asked, h2c, ok, prior


def down(*frames: bytes):
    """Return the arrow of the last frame to the client, after a switch to h2c."""
    part = dissect(h2c(OPENING, settings() + b"".join(frames))).hops[0].http2(REPLY)
    return frame_arrow(part, len(part.frames) - 1)


@pytest.mark.parametrize(
    ("last", "headline", "kind"),
    [
        (frame(DATA, 1, 1, b"Hello"), 'DATA stream 1, 5 bytes, end of stream: "Hello"', "data"),
        (frame(DATA, 1, 1), "DATA stream 1, 0 bytes, end of stream", "data"),
        (ok(), "HEADERS stream 1 :status 200, end of head", "data"),
        (frame(HEADERS, END_HEADERS, 1, b"\x80"), "HEADERS stream 1, end of head", "data"),
        (frame(CONTINUATION, END_HEADERS, 1, b"\x88"), "CONTINUATION stream 1, end of head", "data"),
        (frame(PING, 0, 0, bytes(8)), "PING 00 00 00 00 00 00 00 00", "control"),
        (frame(SETTINGS, ACK), "SETTINGS ack", "control"),
        (frame(GOAWAY, 0, 0, bytes(8) + b"bye"), 'GOAWAY NO_ERROR "bye"', "control"),
        (frame(SETTINGS)[:3], "start of a frame: 00 00 00", "control"),
    ],
)
def test_headlines_of_http2(last, headline, kind):
    """Type, stream and what matters; frames that carry no head and no content are controls."""
    arrow = down(last)
    assert (arrow.headline, arrow.kind) == (headline, kind)


def test_a_request_tells_what_is_asked():
    """Method and path stand in the headline, the other fields below as in HTTP/1.1."""
    part = dissect(prior(asked("/x", ("cookie", "a=b"), ("accept", "*/*")), b"")).hops[0].http2(REPLY.other)
    arrow = frame_arrow(part, 2)
    assert arrow.headline == "HEADERS stream 1 :method GET :path /x, end of head, end of stream"
    assert [detail.text for detail in arrow.details] == [
        ":authority: server.example.com", "cookie: a=b", "+ 2 more field lines",
    ]  # fmt: skip


def test_settings_are_listed_up_to_a_limit():
    """A dozen are shown, and the others counted."""
    arrow = down(settings([(3, 1), (0x99, 2)]))
    assert [detail.text for detail in arrow.details] == ["MAX_CONCURRENT_STREAMS 1", "setting 0x99 2"]
    assert down(settings([(3, 1)] * 1000)).details[-1].text == "+ 988 more settings"


def test_hostile_words_are_made_visible():
    """Control characters of a path or of debug data never reach the picture."""
    part = dissect(prior(asked("/\x1b[31m\u202e"), b"")).hops[0].http2(REPLY.other)
    assert "\x1b" not in frame_arrow(part, 2).headline


@pytest.mark.parametrize(
    ("data", "headline", "kind"),
    [
        (websocket(TEXT, b"Hello"), 'text "Hello"', "data"),
        (websocket(CLOSE, close_payload(1000)), "close 1000 (normal closure)", "control"),
        (websocket(CLOSE, close_payload(1000, "bye")), 'close 1000 "bye"', "control"),
        (websocket(CLOSE), "close", "control"),
    ],
)
def test_headlines_of_websocket(data, headline, kind):
    """Kind and content; a Close tells its code and its reason."""
    arrow = frame_arrow(dissect(switched(b"", data)).hops[0].frames(REPLY), 0)
    assert (arrow.headline, arrow.kind) == (headline, kind)

from __future__ import annotations

from labkit.dissection import dissect
from labkit.render.diagram import diagram
from labkit.render.layout import MOST_HOPS, Arrow, Band
from labkit.render.marks import Mark
from labkit.render.rows import lay_out
from labkit.trace import Gap, Hop, Trace, Transfer
from labkit.wire.websocket import CLOSE, CONTINUATION, PING, TEXT, frame
from tests.render.exchanges import (
    ANSWER,
    ASK,
    BAD_KEY,
    PLAIN,
    REPLY,
    REQUEST,
    REQUIRED,
    asked,
    chain,
    closed,
    cut,
    declined,
    echo,
    switched,
    talk,
)  # fmt: skip


def drawn(trace: Trace):
    return lay_out(dissect(trace))


def arrows(trace: Trace) -> list[Arrow]:
    return [row for row in drawn(trace).rows if isinstance(row, Arrow)]


def bands(trace: Trace) -> list[str]:
    return [row.text for row in drawn(trace).rows if isinstance(row, Band)]


def test_the_request_line_and_the_upgrade_fields_are_one_message():
    """Step 1 stands at the headline, step 2 at the first upgrade field of the same arrow."""
    request = arrows(echo())[0]
    assert (request.step, request.headline) == ("1", "GET /chat HTTP/1.1")
    steps = [(detail.text.split(":")[0], detail.step) for detail in request.details]
    assert steps[:3] == [("Host", ""), ("Upgrade", "2"), ("Connection", "")]
    assert request.details[-1].text == "+ 1 more field line"


def test_the_five_steps_are_named_and_4_and_5_tell_directions():
    """1, 3, then 4 from the client and 5 from the server, control frames too."""
    assert [arrow.step for arrow in arrows(echo(b"Hello"))] == ["1", "3", "4", "5", "4", "5"]
    assert [arrow.kind for arrow in arrows(echo(b"Hello"))] == ["http"] * 2 + ["data"] * 2 + ["control"] * 2


def test_on_two_hops_steps_carry_the_hop():
    """1a and 2a on the first hop, 1b and 2b on the second, the answers 3b and 3a; 4 and 5 go from end to end."""
    found = arrows(chain("client", "proxy", "server"))
    assert [arrow.step for arrow in found][:6] == ["1a", "1b", "3b", "3a", "4", "5"]
    assert [(arrow.start, arrow.end) for arrow in found][:4] == [(0, 1), (1, 2), (2, 1), (1, 0)]
    assert [detail.step for detail in found[1].details if detail.step] == ["2b"]


def test_a_hop_without_the_upgrade_fields_says_so():
    """Where a proxy strips them the forwarded request has a step 1b and no 2b."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace((*talk(REQUEST, REQUIRED), *talk(PLAIN, REQUIRED, 1)), hops)
    second = arrows(trace)[1]
    assert second.step == "1b"
    assert second.details[0].text == "(no Upgrade field was passed on)"
    assert not any(detail.step for detail in second.details)
    assert "steps 4 and 5 were not reached" in bands(trace)


def test_the_seam_is_a_band_over_the_hops_that_turned():
    """Neighbours that turn to the same share a band; a hop that did not turn has none."""
    both = [
        row for row in drawn(chain("client", "proxy", "server")).rows if isinstance(row, Band) and row.kind == "seam"
    ]
    assert [(band.start, band.end) for band in both] == [(0, 2)]
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace((*talk(REQUEST, BAD_KEY), *talk(REQUEST, ANSWER, 1)), hops)
    one = [row for row in drawn(trace).rows if isinstance(row, Band)]
    assert [(band.kind, band.start, band.end) for band in one] == [("seam", 1, 2), ("stop", 0, 2)]
    assert one[1].text == "steps 4a and 5a were not reached"


def test_plain_exchanges_carry_no_steps():
    """Only the exchange that offers an upgrade is numbered."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert [arrow.step for arrow in arrows(Trace(tuple(talk(PLAIN + REQUEST, ok + ANSWER))))] == ["", "", "1", "3"]
    assert not bands(Trace(tuple(talk(PLAIN, ok))))


def test_a_decline_shows_its_fields_and_the_first_line_of_its_content():
    """Content belongs to its answer: one arrow, and the reason in its details."""
    answer = arrows(declined(BAD_KEY))[1]
    assert answer.step == "3"
    assert [detail.text for detail in answer.details] == [
        "Content-Length: 74", "+ 1 more field line",
        'content, 74 bytes: "Failed to open a WebSocket connection: missing Sec-WebSocket-Key header."',
    ]  # fmt: skip
    assert bands(declined(BAD_KEY))[0] == "steps 4 and 5 were not reached"


def test_content_in_chunks_shows_what_is_in_them():
    """The framing of chunks does not stand in the reason (RFC 9112, 7.1)."""
    reply = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnot \r\n4\r\nhere\r\n0\r\n\r\n"
    assert arrows(declined(reply))[1].details[-1].text == 'content, 23 bytes, in chunks: "not here"'


def test_no_answer_is_a_band():
    """Where nothing came back the diagram says so."""
    assert bands(Trace((talk(REQUEST, b"")[0],))) == ["no answer came: steps 4 and 5 were not reached"]


def test_frames_say_what_they_carry():
    """A close shows its code with its meaning or reason, a ping its data, a fragment its place."""
    asks = asked(PING) + asked(TEXT, b"He", fin=False) + asked(CONTINUATION, b"y") + asked(CLOSE, b"\x03\xe9later")
    assert [arrow.headline for arrow in arrows(switched(asks, frame(CLOSE, b"\x03\xe9")))[2:]] == [
        "ping", 'text, first fragment "He"', 'continuation, last fragment "y"', 'close 1001 "later"',
        "close 1001 (going away)",
    ]  # fmt: skip


def test_compressed_messages_are_shown_inflated_and_marked():
    """The RFC's own example of permessage-deflate (RFC 7692, 7.2.3.1)."""
    extension = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    request, answer = (head[:-2] + extension for head in (REQUEST, ANSWER))
    hello = bytes.fromhex("f248cdc9c90700")
    trace = Trace(tuple(talk(request + asked(TEXT, hello, rsv=4), answer)))
    assert arrows(trace)[2].headline == 'text "Hello", compressed'


def test_faults_stand_below_their_arrow_in_words():
    """A frame's fault, a head's fault, and content that never came."""
    assert arrows(switched(frame(TEXT, b"x")))[2].faults == (Mark("a client must mask every frame (RFC 6455, 5.1)"),)
    spaced = REQUEST.replace(b"Host:", b"Host :")
    assert arrows(Trace(tuple(talk(spaced, ANSWER))))[0].faults[0].text.startswith("white space before the colon")
    short = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\n"
    assert arrows(declined(short))[1].faults == (Mark("Content-Length says 5 bytes, 0 came (RFC 9112, 8)"),)


def test_many_faults_are_counted():
    """Three are told, the rest are counted."""
    head = b"GET /  HTTP/1.1\r\n" + b"".join(b"Name%d : x\r\n" % number for number in range(5)) + b"\r\n"
    faults = arrows(Trace(tuple(talk(head, b""))))[0].faults
    assert len(faults) == 4
    assert faults[-1].text == "and 3 more"


def test_bytes_that_are_no_start_line_are_shown():
    """Garbage has an arrow too, with its bytes."""
    assert arrows(Trace(tuple(talk(b"\x01\x02\r\n\r\n", b""))))[0].headline.startswith(
        "bytes that are no start-line: 01 02"
    )


def test_what_is_missing_is_said_before_the_end():
    """A cut is a band; the end is the last row."""
    assert bands(cut(echo(), 1234))[-2:] == [
        "the recording limit was reached: 1,234 bytes to the server are not shown",
        "server closed first (FIN), then client (FIN)",
    ]


def test_as_many_hops_as_the_limit_are_drawn_and_of_more_the_rest_is_counted():
    """The first hops are drawn with their parties; what the others hold is said (law 7)."""
    names = [f"party {number}" for number in range(MOST_HOPS + 3)]
    full = drawn(chain(*names[: MOST_HOPS + 1]))
    assert len(full.parties) == MOST_HOPS + 1
    assert not any("not drawn" in row.text for row in full.rows if isinstance(row, Band))
    more = drawn(chain(*names))
    assert [party.name for party in more.parties] == names[: MOST_HOPS + 1]
    assert more.parties[-1].role == "proxy"
    hop = chain("client", "server")
    size = sum(len(hop.stream(way)) for way in (ASK, REPLY))
    said = [row.text for row in more.rows if isinstance(row, Band) and "not drawn" in row.text]
    assert said == [f"2 more hops are not drawn (a limit of the lab): 12 messages, {2 * size} bytes"]


def test_a_picture_stays_small_whatever_the_trace_holds():
    """Thousands of gaps, and a thousand hops: between parties of their own, or the same two."""
    gaps = Trace((*talk(REQUEST, ANSWER), *[Gap(0, ASK, 1)] * 5000))
    events = [event for hop in range(1000) for event in (*talk(REQUEST, ANSWER, hop), Gap(hop, ASK, 1))]
    far = tuple(Hop(f"party {hop}", f"party {hop + 1}") for hop in range(1000))
    for trace in (gaps, Trace(tuple(events), far), Trace(tuple(events), (Hop(),) * 1000)):
        drawing = diagram(trace)
        assert max(len(drawing.svg()), len(drawing.text()), len(drawing.html()), len(drawing.mermaid())) < 300_000


def test_the_title_of_the_trace_stands_before_the_finding():
    """Both in one line."""
    assert drawn(switched(title="An echo")).title == "An echo — switched to websocket (101)"


TWO_LEGS = (Hop("client", "nginx"), Hop("nginx", "server"), Hop("nginx", "server"))
YES = b"HTTP/1.1 204 No Content\r\n\r\n"


def test_several_legs_between_two_parties_share_their_columns():
    """Each party has one column; steps carry the letter of their leg, and equal ends stand together."""
    first = (Transfer(0, ASK, PLAIN), *talk(PLAIN, YES, 1), Transfer(0, REPLY, YES))
    second = (Transfer(0, ASK, REQUEST), *talk(REQUEST, ANSWER, 2), Transfer(0, REPLY, ANSWER))
    layout = lay_out(dissect(Trace((*first, *second, *closed(1), *closed(2), *closed(0)), TWO_LEGS)))
    assert [(party.name, party.role) for party in layout.parties] == [
        ("client", "client"), ("nginx", "proxy"), ("server", "server"),
    ]  # fmt: skip
    steps = [row.step for row in layout.rows if isinstance(row, Arrow)]
    assert steps == ["", "", "", "", "1a", "1c", "3c", "3a"]
    assert [row.text[:6] for row in layout.rows if isinstance(row, Band) and row.kind == "end"] == [
        "hop a:", "hops b",
    ]  # fmt: skip
    assert "The client asks the server, through nginx, with GET /chat" in layout.description


def test_a_request_behind_an_answer_of_the_proxys_own_carries_its_steps():
    """Where the proxy answered the first request itself, the first one behind it is the second one before it."""
    own = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    second = (Transfer(0, ASK, REQUEST), *talk(PLAIN, YES, 1), Transfer(0, REPLY, YES))
    layout = lay_out(dissect(Trace((*talk(PLAIN, own), *second), TWO_LEGS[:2])))
    arrows = [row for row in layout.rows if isinstance(row, Arrow)]
    assert [arrow.step for arrow in arrows] == ["", "", "1a", "1b", "3b", "3a"]
    assert arrows[3].details[0].text == "(no Upgrade field was passed on)"


def test_a_long_note_is_shown_as_far_as_it_is_readable():
    """What a proxy's log says finds its place below the diagram, and no more than that."""
    note = "nginx says: " + "connect() failed (111: Connection refused); " * 20
    assert 300 < len(lay_out(dissect(Trace((), note=note))).note) <= 400

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.dissection.secrets import masked
from labkit.render.diagram import diagram
from labkit.render.edits import edited
from labkit.render.inspected import MOST_STEPS, changed, inspected
from labkit.render.verdict import check
from labkit.trace import Direction, Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render import http2_exchanges
from tests.render.exchanges import ASK, BAD_KEY, REPLY, REQUEST, asked, chain, cut, declined, echo, switched
from tests.render.test_standing import CASES

TRACES = {
    "switched": echo(b"Hello"),
    "declined": declined(BAD_KEY),
    "three": chain("client", "proxy", "server"),
    "folded": echo(*(b"%d" % number for number in range(30))),
    "faulty": cut(switched(frame(TEXT, b"unmasked" * 20), frame(3, b"x")), 1234),
    "h2c": http2_exchanges.told(),
    "lines": switched(b"one\ntwo\n", b"three\n"),
    "garbage": declined(b"\x00\x01\x02" * 9),
    "empty": Trace(),
}


def leaves(piece):
    return [leaf for part in piece["parts"] for leaf in leaves(part)] if "parts" in piece else [piece]


def assert_partition(document, trace):
    """Hold the messages of the steps against the trace, and the pieces against their messages."""
    seen = {}
    for step in document["steps"]:
        for hop, way, start, end in step["at"]:
            seen.setdefault((hop, way), []).append((start, end))
            data = trace.stream(Direction(way), hop)[start:end]
            assert step["size"] == len(data)
            assert bytes.fromhex(step["data"]) == data[:1024]
        if step["at"] and step["pieces"]:
            _, _, start, end = step["at"][0]
            edges = [(leaf["start"], leaf["end"]) for piece in step["pieces"] for leaf in leaves(piece)]
            assert (edges[0][0], edges[-1][1]) == (start, end)
            assert all(one[1] == other[0] for one, other in pairwise(edges))
    for hop in range(len(trace.hops)):
        for way in Direction:
            spans = sorted(seen.get((hop, str(way)), []))
            assert sum(end - start for start, end in spans) == len(trace.stream(way, hop))
            assert all(one[1] == other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize("name", TRACES)
def test_every_byte_is_in_one_step_and_one_piece(name):
    """Pointing at any byte finds its message and its piece."""
    document = inspected(TRACES[name])
    assert json.loads(json.dumps(document)) == document
    assert not document["left"]
    assert_partition(document, TRACES[name])


@pytest.mark.parametrize("name", TRACES)
def test_the_picture_is_the_diagrams(name):
    """The inspector shows the diagram of the checked trace, with its rows numbered and its colours by name."""
    document = inspected(TRACES[name])
    layout = check(TRACES[name]).diagram().layout
    assert document["title"] == layout.title
    assert document["svg"].count("data-row=") == len(layout.rows)
    assert "#" not in document["svg"].replace("&#39;", "")
    assert [step["row"] for step in document["steps"]] == sorted(step["row"] for step in document["steps"])


def test_a_field_line_in_the_picture_knows_its_bytes():
    """The place of a field line in the picture is that of the line."""
    svg = inspected(echo(b"Hello"))["svg"]
    start = REQUEST.index(b"Upgrade: websocket")
    end = start + len(b"Upgrade: websocket\r\n")
    assert f'data-start="{start}" data-end="{end}"' in svg


def test_the_picture_of_the_committed_form_has_no_links():
    """What is drawn outside an inspector carries no attributes of one."""
    drawn = diagram(echo(b"Hello")).svg()
    assert "data-" not in drawn
    assert "<g" not in drawn


def test_findings_stand_at_their_bytes():
    """A finding says rule, party and bytes."""
    found = [each for each in inspected(TRACES["faulty"])["findings"] if each["level"] == "must"]
    assert found
    assert all(each["at"][3] > each["at"][2] for each in found)
    assert {"rule", "party", "seen", "asks", "mend", "where"} <= found[0].keys()


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(sorted(TRACES.keys() - {"empty", "folded"})),
    spots=st.lists(st.tuples(st.integers(0, 10_000), st.booleans(), st.integers(0, 255)), min_size=1, max_size=4),
)
@example(name="switched", spots=[(len(REQUEST) + 1, True, 0xFE)])  # a length
@example(name="switched", spots=[(len(REQUEST) + 1, True, 0xFF)])  # a longer length
@example(name="switched", spots=[(len(REQUEST), True, 0x83)])  # an opcode that is none
@example(name="switched", spots=[(len(REQUEST) - 4, True, 0x41)])  # the end of the head
@example(name="switched", spots=[(9, False, 0x34)])  # a 401 in place of the 101
def test_any_edit_gives_a_document_whose_pieces_are_the_bytes(name, spots):
    """Whatever is typed over, every byte still has its message and its piece, and the page gets what changed."""
    trace = TRACES[name]
    edits = {}
    for offset, ask, value in spots:
        way = ASK if ask else REPLY
        if size := len(trace.stream(way)):
            edits[0, way, offset % size] = value
    document = inspected(trace, edits)
    now = edited(trace, edits)
    assert_partition(document, now)
    assert [each[:4] for each in document["edits"]] == [[h, str(w), at, value] for (h, w, at), value in edits.items()]
    before = inspected(trace)
    sent = changed(before, document)
    steps = [new if new is not None else before["steps"][at] for at, new in enumerate(sent["steps"])]
    assert {**before, **sent, "steps": steps} == document


def test_only_what_changed_is_sent():
    """An edit in one payload sends that step alone."""
    trace = echo(b"one", b"two", b"three")
    offset = len(trace.stream(REPLY)) - 6
    sent = changed(inspected(trace), inspected(trace, {(0, REPLY, offset): 0x21}))
    assert [step is None for step in sent["steps"]].count(False) == 1
    assert sent["edits"]
    assert "parties" not in sent


SECRET = b"correct-horse"


def test_no_edit_of_a_head_unmasks_a_secret():
    """The trace is masked once, before; a field name that is edited then finds stars alone."""
    head = REQUEST[:-2] + b"Cookie: id=" + SECRET + b"\r\nAuthorization: Bearer " + SECRET + b"\r\n\r\n"
    safe = masked(declined(BAD_KEY, head))
    for offset in range(len(head)):
        document = json.dumps(inspected(safe, {(0, ASK, offset): 0x7A}))
        assert SECRET.decode() not in document
        assert SECRET.hex() not in document


@pytest.mark.parametrize("name", CASES)
def test_a_masked_trace_has_the_same_findings(name):
    """What is masked decides nothing: the inspector, which holds the masked trace, finds what the check finds."""
    assert check(masked(CASES[name])).ids == check(CASES[name]).ids


def test_what_is_left_out_is_said():
    """Too many messages, and a head of too many lines, are bounded, and the document says so."""
    many = inspected(echo(*(b"%d" % number for number in range(MOST_STEPS))))
    assert len(many["steps"]) == MOST_STEPS
    assert "more messages cannot be stepped through: 250 can" in many["left"]
    long = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"
    wide = inspected(Trace((Transfer(0, ASK, long),)))
    assert "1 message of too many pieces is not taken apart" in wide["left"]
    assert len(json.dumps(wide)) < 30_000


def test_what_the_wire_says_is_made_harmless():
    """Characters that turn the reading direction or end a line stand written out in every label."""
    trace = switched(asked(TEXT, "a\u202eb\u2028c".encode()))
    told = json.dumps(inspected(trace), ensure_ascii=False)
    assert "\u202e" not in told
    assert "\u2028" not in told

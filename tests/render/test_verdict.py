from __future__ import annotations

import html as markup
import re
from pathlib import Path

import pytest

from labkit.dissection.secrets import masked
from labkit.errors import WrongUse
from labkit.render.diagram import diagram
from labkit.render.explain import explain
from labkit.render.layout import Arrow, Band
from labkit.render.marks import Mark
from labkit.render.theme import DARK, LIGHT
from labkit.render.verdict import MOST, Verdict, check
from labkit.rules import RULES, Finding, Level, Rule, Who
from labkit.trace import Direction, Trace, Transfer
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import ANSWER, ASK, REPLY, REQUEST, asked, chain, closed, echo, switched, talk

LINE = ANSWER.index(b"\r\n") + 2  # where the status line ends
KEY = REQUEST.index(b"Sec-WebSocket-Key")


def rule(name="W99", level=Level.MUST, *, switch=True, text="A server answers with `X-Proof`.") -> Rule:
    return Rule(name, Who.SERVER, "RFC 6455, 4.2.2", level, text, "add `X-Proof`", switch, lambda _: ())


def found(start, end, seen="no X-Proof", *, way=REPLY, hop=0, by=None, note=False, more=0) -> Finding:
    party = "server" if way is REPLY else "client"
    return Finding(by or rule(), party, hop, way, start, end, seen, note, more)


def verdict(trace: Trace, *findings: Finding, notes: tuple[Finding, ...] = ()) -> Verdict:
    return Verdict(findings, notes, trace=trace, checked=84, outcome="Switched to websocket (101)")


def arrows(of: Verdict) -> list[Arrow]:
    return [row for row in of.diagram().layout.rows if isinstance(row, Arrow)]


PROOF = found(0, LINE)
LESS = found(LINE, LINE + 20, "an odd word", by=rule("G98", Level.SHOULD_NOT, switch=False))
NOTE = found(KEY, KEY + 45, "the RFC's own key", way=ASK, by=rule("W97", switch=False), note=True)
CLEAN = verdict(echo(b"a"))
FULL = verdict(echo(b"a"), PROOF, LESS, notes=(NOTE,))


# the verdict itself


def test_a_verdict_is_the_sequence_of_its_findings():
    """It has a length, is iterated and indexed, and names the rules; notes are beside it."""
    assert list(FULL) == [PROOF, LESS] == [FULL[0], *FULL[1:]]
    assert (len(FULL), FULL.ids, FULL.notes) == (2, ("W99", "G98"), (NOTE,))
    assert FULL.serious
    assert FULL.strict
    assert repr(FULL) == "<Verdict: W99, G98; 1 noted>"


def test_a_clean_verdict_is_false():
    """A note breaks nothing; a SHOULD, or a MUST that the switch does not hang on, is not serious."""
    assert not verdict(echo(), notes=(NOTE,))
    assert not verdict(echo(), LESS).serious
    assert not verdict(echo(), LESS).strict
    other = verdict(echo(), found(0, 5, by=rule(switch=False)))
    assert (other.serious, other.strict) == (False, True)
    assert repr(CLEAN) == "<Verdict: nothing broken>"


def test_the_check_counts_the_rules_with_a_check():
    """The count is that of the rules that code looks at, not of all there are."""
    made = echo(b"a").check()
    assert isinstance(made, Verdict)
    assert made == check(echo(b"a"))
    assert made.checked == len([each for each in RULES if each.check]) < len(RULES)


def test_a_broken_exchange_is_found():
    """An Upgrade field that the Connection field does not name, on the bytes of its line (RFC 9110, 7.8)."""
    ask = b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: quote\r\n\r\n"
    made = Trace((*talk(ask, b""), *closed())).check()
    [first] = [each for each in made if each.rule.id == "G02"]
    assert ask[first.start : first.end] == b"Upgrade: quote\r\n"
    assert any("G02 MUST client" in mark.text for mark in arrows(made)[0].faults)


# the table


def test_a_clean_exchange_says_so_in_a_line():
    """Nothing broken: one line, with the outcome and how many rules were checked."""
    assert str(CLEAN) == "Switched to websocket (101). Nothing broken; 84 rules were checked"
    assert CLEAN.html() == "<p>Switched to websocket (101). Nothing broken; 84 rules were checked</p>\n"


def test_the_table_tells_all_of_a_finding():
    """Level, rule, party, what was seen and where, what the rule asks with its clause, and what mends it."""
    lines = str(verdict(echo(), PROOF)).splitlines()
    assert lines == [
        "Switched to websocket (101). 1 finding: 1 MUST; 84 rules were checked",
        "",
        "── the switch hangs on these",
        "",
        "✗ MUST W99        server: no X-Proof",
        f"  where           server → client, bytes 0 to {LINE - 1}",
        "  the rule        A server answers with `X-Proof` (RFC 6455, 4.2.2)",
        "  to mend         add `X-Proof`",
    ]


def test_what_the_switch_hangs_on_comes_first():
    """Three groups under headings: what the switch hangs on, the others, and the notes, marked as notes."""
    assert [group.heading for group in FULL.groups] == [
        "the switch hangs on these", "the switch does not hang on these", "worth a note; nothing is broken",
    ]  # fmt: skip
    assert [(row.word, row.rule) for group in FULL.groups for row in group.rows] == [
        ("MUST", "W99"), ("SHOULD NOT", "G98"), ("note", "W97"),
    ]  # fmt: skip
    text = str(FULL)
    assert text.startswith(
        "Switched to websocket (101). 2 findings: 1 MUST, 1 SHOULD; 1 note; 84 rules were\nchecked\n"
    )
    assert [text.index(each) for each in ("✗ MUST W99", "! SHOULD NOT G98", "• note W97")] == sorted(
        text.index(each) for each in ("✗ MUST W99", "! SHOULD NOT G98", "• note W97")
    )


@pytest.mark.parametrize("width", [60, 80])
def test_text_keeps_its_width(width):
    """However long the words are, no line is longer than told."""
    long = found(0, LINE, "a long story " * 30, by=rule(text="Much is asked. " * 40), more=1234)
    text = verdict(chain("client" * 9, "proxy", "server"), long).text(width)
    assert max(map(len, text.splitlines())) <= width
    assert "1,234 more like it" in " ".join(verdict(echo(), found(0, 5, more=1234)).text(width).split())


def test_on_several_hops_the_hop_is_named():
    """The hop has its letter, as in the diagram."""
    made = verdict(chain("client", "proxy", "server"), found(0, LINE, hop=1))
    assert f"hop b: server → proxy, bytes 0 to {LINE - 1}" in str(made)
    assert "hop b: server → proxy" in made.html()


def test_html_tells_the_level_by_word_sign_and_colour():
    """The sign is a small picture with its own colour and an alternative text; nothing needs a style."""
    table = FULL.html()
    assert re.findall(r'alt="(.)"', table) == ["✗", "!", "•"]
    assert "SHOULD&nbsp;NOT" in table
    assert table.count('scope="rowgroup"') == 3
    assert "add <code>X-Proof</code>" in table
    assert (
        "<caption>Switched to websocket (101). 2 findings: 1 MUST, 1 SHOULD; 1 note; 84 rules were checked</caption>"
        in table
    )
    assert not re.search(r"style|class=|<svg|<script", table)


def test_nothing_seen_becomes_a_tag_or_mathematics():
    """What was seen may quote the wire."""
    table = verdict(echo(), found(0, 5, "<b> and $x$ \x1b\u202e")).html()
    assert "<b>" not in table
    assert "<code>&lt;b&gt; and $x$ \\x1b\\u202e</code>" in table


def test_many_findings_are_counted():
    """The table stops after 40 rows, notes among them, and counts the rest."""
    made = verdict(echo(), *[PROOF] * (MOST - 1), LESS, *[LESS] * 4, notes=(NOTE,))
    assert sum(len(group.rows) for group in made.groups) == MOST
    assert str(made).endswith("\n\nand 5 more")
    assert "and 5 more" in made.html()


def test_a_notebook_gets_both_forms():
    """HTML, and text where there is no HTML."""
    assert FULL._repr_mimebundle_() == {"text/plain": str(FULL), "text/html": FULL.html()}


# in the diagram


def test_findings_stand_on_their_messages():
    """Each at the arrow that holds its first byte, with rule, level, party and clause."""
    ask, answer, *others = arrows(FULL)
    assert answer.faults == (
        Mark("W99 MUST server: no X-Proof (RFC 6455, 4.2.2)", "must"),
        Mark("G98 SHOULD NOT server: an odd word (RFC 6455, 4.2.2)", "should"),
    )
    assert ask.faults == (Mark("W97 note client: the RFC's own key (RFC 6455, 4.2.2)", "note"),)
    assert all(arrow.faults == () for arrow in others)


def test_the_title_stays_and_the_description_counts():
    """The title is what happened; the description says how many were found, and names the first."""
    layout, plain = FULL.diagram().layout, diagram(FULL.trace).layout
    assert layout.title == plain.title
    assert layout.description == (
        f"{plain.description} The check finds 2 faults and gives 1 note; the first is "
        "W99 MUST server: no X-Proof (RFC 6455, 4.2.2)."
    )
    assert CLEAN.diagram().layout.description.endswith(" The check finds nothing broken.")
    assert verdict(echo(), notes=(NOTE,)).diagram().layout.description.endswith("nothing broken and gives 1 note.")


def test_without_a_check_nothing_is_marked():
    """The picture of a trace alone says nothing of rules; that of a clean verdict has the same rows."""
    assert "check" not in diagram(FULL.trace).svg()
    assert CLEAN.diagram().layout.rows == diagram(CLEAN.trace).layout.rows


SPACED = REQUEST.replace(b"Host:", b"Host :").replace(b"User-Agent: labkit\r\n", b"User-Agent: labkit\n")
AT = SPACED.index(b"Host :")


@pytest.mark.parametrize(("note", "left"), [(False, 1), (True, 2)])
def test_a_finding_replaces_the_fault_of_its_bytes(note, left):
    """Where a finding speaks of the bytes of a fault, the fault is silent; other faults stay, and a note hides none."""
    finding = found(AT, AT + 6, "white space", way=ASK, note=note)
    both = ((), (finding,)) if note else ((finding,), ())
    trace = Trace(tuple(talk(SPACED, ANSWER)))
    made = Verdict(*both, trace=trace, checked=84, outcome="")
    faults = arrows(made)[0].faults
    assert len(faults) == left + 1
    assert sum("white space before the colon" in fault.text for fault in faults) == left - 1
    assert sum("LF alone" in fault.text for fault in faults) == 1
    assert [fault for fault in faults if "W99" in fault.text] == [faults[-1 if note else 0]]
    rows = [row.faults for row in made.bytes().rows if row.faults]
    assert [len(each) for each in rows] == ([2, 1] if note else [1, 1])


def test_a_finding_speaks_of_all_like_faults_of_its_message():
    """A rule that is broken on many lines is told once at the arrow; at the bytes each line keeps its fault."""
    ask = REQUEST.replace(b"\r\n", b"\n")
    at = ask.index(b"\n")
    made = verdict(Trace(tuple(talk(ask, ANSWER))), found(at, at + 1, "LF alone, 8 times", way=ASK))
    assert [fault.text[:8] for fault in arrows(made)[0].faults] == ["W99 MUST"]
    assert sum(bool(row.faults) for row in made.bytes(hop=0).rows) == 8


def test_many_findings_of_one_message_are_counted():
    """An arrow carries three, and says how many more there are."""
    faults = arrows(verdict(echo(), *[PROOF] * 5))[1].faults
    assert len(faults) == 4
    assert faults[-1].text == "and 2 more"


def test_a_marked_frame_is_never_folded():
    """A finding in the middle of a long run of frames is drawn at its frame."""
    trace = switched(replies=frame(TEXT, b"hi") * 50)
    at = len(ANSWER) + 30 * 4
    made = verdict(trace, found(at, at + 4, "odd"))
    marked = [row for row in arrows(made) if row.faults]
    assert [row.headline for row in marked] == ['text "hi"']
    assert not [row for row in made.diagram().layout.rows if isinstance(row, Band) and row.kind == "stop"]


def test_findings_on_what_is_not_drawn_are_told():
    """Where a message is left out of the picture, the finding is counted and its rule named."""
    trace = switched(replies=b"".join(frame(TEXT + place % 2, b"hi") for place in range(600)))
    at = len(ANSWER) + 300 * 4
    bands = [row for row in verdict(trace, found(at, at + 4)).diagram().layout.rows if isinstance(row, Band)]
    assert "1 more finding on what is not drawn: W99" in [row.text for row in bands]


@pytest.mark.parametrize(("dark", "theme"), [(False, LIGHT), (True, DARK)])
def test_each_level_has_its_sign_and_its_colour(dark, theme):
    """A cross for a MUST, a triangle for a SHOULD, a disc for a note; none in the colour of a party."""
    picture = FULL.diagram().svg(dark=dark)
    for level, words in (("must", "W99"), ("should", "G98"), ("note", "W97")):
        assert re.search(rf'fill="{theme.level(level)}"[^>]*>{words} ', picture)
    assert re.search(rf'<polygon [^>]*stroke="{theme.should}"', picture)
    assert re.search(rf'<circle [^>]*r="5.5" fill="{theme.note}"', picture)
    levels = {theme.level(each) for each in ("must", "should", "note")}
    assert len(levels) == 3
    assert not levels & {theme.client, theme.proxy, theme.server}


def test_every_form_of_the_diagram_carries_the_signs():
    """Text, HTML and Mermaid tell the level by a sign before the words."""
    drawn = FULL.diagram()
    assert "✗ W99 MUST server" in drawn.text()
    assert "! G98 SHOULD NOT server" in drawn.text()
    assert "<strong>• W97 note client: the RFC&#39;s own key" in drawn.html()
    assert "#10007; W99 MUST server" in drawn.mermaid()
    assert "The check finds 2 faults" in markup.unescape(drawn.html())


# in the bytes


def test_findings_stand_at_their_bytes():
    """At the row that holds the first byte."""
    rows = {row.offset: row.faults for row in FULL.bytes().rows if row.faults}
    assert {at: [mark.level for mark in marks] for at, marks in rows.items()} == {
        0: ["must"], LINE: ["should"], KEY: ["note"],
    }  # fmt: skip
    assert [mark.level for row in FULL.bytes(leaves=True).rows for mark in row.faults] == ["note", "must", "should"]


def test_a_finding_over_a_whole_message_stands_at_its_heading():
    """What concerns a whole head or frame is told once, over its rows, and not at the first of them."""
    trace = switched(frame(TEXT, b"bare"), asked(TEXT, b"no"))
    size = len(frame(TEXT, b"bare"))
    made = verdict(trace, found(0, len(ANSWER)), found(len(REQUEST), len(REQUEST) + size, "unmasked", way=ASK))
    told = [section.heading for section in made.bytes().sections for mark in section.faults if "W99" in mark.text]
    assert [heading.split(", bytes")[0] for heading in told] == [
        "server → client: head of the answer", "client → server: frame: text",
    ]  # fmt: skip
    assert not any("W99" in mark.text for row in made.bytes().rows for mark in row.faults)


def test_options_of_the_bytes_are_those_of_explain():
    """`hop`, `most` and the others are passed on."""
    made = verdict(chain("client", "proxy", "server"), PROOF)
    assert repr(made.bytes(hop=1)) == repr(explain(made.trace, hop=1))
    assert made.bytes(hop=1).rows == explain(made.trace, hop=1).rows


# secrets


def test_offsets_hold_under_the_mask():
    """The original is checked and the masked trace is drawn: every finding is on the same bytes, and none leaks."""
    ask = REQUEST.replace(b"/chat", b"/chat?token=geheim").replace(
        b"User-Agent: labkit", b"Authorization: Bearer geheim\r\nCookie: a=geheim; b=geheim\r\nUser-Agent : labkit"
    )
    trace = Trace((Transfer(0, ASK, ask[:30]), Transfer(0, ASK, ask[30:]), *talk(b"", ANSWER), *closed()))
    hidden = masked(trace)
    assert b"geheim" not in hidden.stream(ASK)
    assert [len(hidden.stream(way)) for way in Direction] == [len(trace.stream(way)) for way in Direction]
    at = ask.index(b"User-Agent")
    made = verdict(trace, found(at, at + 20, "white space", way=ASK))
    [row] = [row for row in made.bytes().rows if any("W99" in mark.text for mark in row.faults)]
    assert row.text.startswith("User-Agent :")
    for shown in (str(made.bytes()), made.diagram().html(), made.diagram().text(), made.html()):
        assert "geheim" not in shown
    assert "geheim" in made.diagram(keep_secrets=True).text()
    assert "geheim" in str(made.bytes(keep_secrets=True))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("f.jsonl", "not 'f.jsonl': load it first: labkit.load('f.jsonl')"),
        (Path("f.jsonl"), "load it first: labkit.load('f.jsonl')"),
        (None, "what is checked is a Trace, not None: load it first: labkit.load(…)"),
    ],
)
def test_what_is_no_trace_is_not_checked(given, named):
    """The name of a file is not its trace: the error says how to load it, in one line."""
    with pytest.raises(WrongUse, match=re.escape(named)) as caught:
        check(given)
    assert "\n" not in str(caught.value)

from __future__ import annotations

import re

import pytest

from labkit.cases.corpus import (
    PLAIN,
    Case,
    Judged,
    Outcome,
    Report,
    Standing,
    cases,
    check_words,
    complete,
    expand,
    judge,
    outcome,
    predict,
    version,
)
from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.described import Server
from labkit.parties.faults import FAULTS
from labkit.rules import check
from labkit.rules.base import find
from labkit.trace import Direction, End, How, Trace, Transfer
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from tests.parties.driving import head, opening

CASES = cases()
ACCEPT = f"Sec-WebSocket-Accept: {accept_key(SAMPLE_KEY)}"
SWITCH = head("Upgrade: websocket", "Connection: Upgrade", ACCEPT, start="HTTP/1.1 101 Switching Protocols")


def case(**parts) -> Case:
    given = {"group": "any", "id": "any", "send": ("x",), "allow": ("101", "decline"), "clause": "", "level": "MUST"}
    return Case(**{**given, "why": "", **parts})


def of(*words: str, **parts) -> Outcome:
    return Outcome(words, **parts)


def answered(answer: bytes, request: bytes = b"", *, end: How | None = None) -> Trace:
    events = [Transfer(0, Direction.TO_SERVER, request or opening()), Transfer(0, Direction.TO_CLIENT, answer)]
    return Trace((*events, *([End(0, Direction.TO_CLIENT, end)] if end else [])))


# the file


def test_size():
    """The corpus has at least 150 cases, and a version to cite."""
    assert len(CASES) >= 150
    assert version() == 1


def test_ids():
    """Each case has a name of its own, in kebab-case; the plain offer is the first."""
    ids = [each.id for each in CASES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in ids)
    assert ids[0] == PLAIN


def test_no_two_cases_send_the_same():
    """No two cases send the same bytes in the same segments."""
    sent = [tuple(each.segments()) for each in CASES]
    assert [each.id for each in CASES if sent.count(tuple(each.segments())) > 1] == []


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.id)
def test_every_case_is_whole(each):
    """Every case says what it sends, what is allowed, what a SHOULD leaves of it, which clause decides, and why."""
    check_words(each)
    assert all(each.segments())
    assert re.match(r"RFC \d{4}, \d+(\.\d+)*( \(\d+\))?(, \d+(\.\d+)*)?$", each.clause)
    assert each.why.endswith(".")
    assert each.rule == "" or find(each.rule).id == each.rule
    assert not re.search(r"\{(path|repeat)", b"".join(each.segments()).decode("latin-1"))


@pytest.mark.parametrize(
    "parts",
    [
        {"allow": ("102x",)},
        {"allow": ()},
        {"level": "MAY"},
        {"level": "SHOULD"},
        {"level": "MUST", "should": ("400",)},
        {"allow": ("sometimes",)},
    ],
)
def test_broken_cases(parts):
    """A word that means nothing, and a level that does not fit, are refused."""
    with pytest.raises(WrongUse, match="case any"):
        check_words(case(**parts))


def test_covered():
    """Every subject that a server must know of the opening handshake has its group."""
    groups = {each.group for each in CASES}
    assert len(groups) >= 20
    assert {each.level for each in CASES} == {"MUST", "SHOULD", "choice"}


def test_expand():
    """Placeholders are filled; every other character is one byte."""
    assert expand("{path}?{repeat:a, :2}\r\n\x00\xff", "/chat") == b"/chat?a, a, \r\n\x00\xff"


# outcomes


@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        (SWITCH, None, "101"),
        (head(start="HTTP/1.1 100 Continue") + SWITCH, None, "100 101"),
        (head("Content-Length: 0", start="HTTP/1.1 400 Bad"), How.FIN, "400"),
        (b"", How.FIN, "close"),
        (b"", How.RESET, "close"),
        (b"", How.ABANDONED, "open"),
        (b"Hello\r\n\r\n", None, "garbage"),
        (b"HTTP/1.1 200", How.FIN, "garbage"),
        (b"HTTP/1.1 200 OK\r\nContent", How.FIN, "garbage"),
        (SWITCH + b"HTTP/1.1 400 Bad\r\n\r\n", None, "101"),
    ],
)
def test_outcome(answer, end, words):
    """An outcome is the statuses of the answers up to the 101, or what else became of the connection."""
    assert str(outcome(answered(answer, end=end))) == words


def test_outcome_of_two_answers():
    """Each request on a connection has its word."""
    plain = head("Host: server.example.com")
    answers = head("Content-Length: 2", start="HTTP/1.1 200 OK") + b"ok" + SWITCH
    assert str(outcome(answered(answers, plain + opening()))) == "200 101"


def test_an_outcome_of_many_answers_is_short():
    """Of thousands of answers the first and the last are shown, and a rule that all of them break is told once."""
    found = outcome(answered(head(start="HTTP/1.1 100 Continue") * 3000))
    assert str(found) == "100 100 100 … 100"
    declined = outcome(answered(head("Content-Length: 0", start="HTTP/1.1 426 No") * 300))
    assert str(declined) == "426 426 426 … 426"
    assert len(declined.wrong) == len(set(declined.wrong)) == 1


@pytest.mark.parametrize(
    ("answer", "request_", "rule"),
    [
        (SWITCH.replace(b"Accept: ", b"Accept: A"), opening(), "W31"),
        (SWITCH.replace(b"\r\n\r\n", f"\r\n{ACCEPT}\r\n\r\n".encode()), opening(), "W32"),
        (SWITCH.replace(b"Connection: Upgrade\r\n", b""), opening(), "W24"),
        (SWITCH.replace(b"Upgrade: websocket\r\n", b""), opening(), "W24"),
        (SWITCH.replace(b"Upgrade: websocket", b"Upgrade: h2c"), opening(), "G06"),
        (SWITCH[:-2] + b"Content-Length: 0\r\n\r\n", opening(), "G21"),
        (SWITCH[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", opening(), "G22"),
        (SWITCH[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n", opening(), "W22"),
        (SWITCH[:-2] + b"Sec-WebSocket-Extensions: x\r\n\r\n", opening(), "W23"),
        (
            SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n\r\n",
            opening("Sec-WebSocket-Extensions: permessage-deflate"),
            "W39",
        ),
        (
            SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n\r\n",
            opening("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10"),
            "W40",
        ),
        (head(start="HTTP/1.1 405 No"), opening(), "G39"),
        (head(start="HTTP/1.1 426 No"), opening(), "G08"),
        (head(start="HTTP/1.1 401 No"), opening(), "G40"),
    ],
)
def test_wrong_answers(answer, request_, rule):
    """An answer that lacks what every such answer must have is outside, whatever the case allows."""
    found = outcome(answered(answer, request_))
    assert f"({rule}: " in "; ".join(found.wrong)
    assert judge(case(), found).standing is Standing.OUTSIDE


def test_right_answers():
    """A whole handshake, with what was offered, has nothing wrong."""
    asked = opening(
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10",
    )
    agreed = b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; client_max_window_bits=8\r\n"
    answer = SWITCH[:-2] + agreed + b"Sec-WebSocket-Protocol: superchat\r\n\r\n"
    assert outcome(answered(answer, asked)).wrong == ()


@pytest.mark.parametrize(
    ("field", "content", "count"),
    [
        ("Content-Length: 0", b"", 1),
        ("Content-Length: 2", b"", 0),
        ("Content-Length: 2", b"o", 0),
        ("Content-Length: 2", b"ok", 1),
        ("Transfer-Encoding: chunked", b"", 0),
        ("Transfer-Encoding: chunked", b"2\r\nok\r\n", 0),
        ("Transfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\r\n", 1),
    ],
)
def test_complete(field, content, count):
    """An answer counts when the last byte of its content is there (RFC 9112, 6.3)."""
    trace = answered(head(field, start="HTTP/1.1 200 OK") + content, head("Host: server.example.com"))
    assert complete(dissect(trace).hops[0]) == count


# standings


@pytest.mark.parametrize(
    ("allow", "words", "fits"),
    [
        ("400", "400", True),
        ("4xx", "426", True),
        ("error", "503", True),
        ("error", "200", False),
        ("decline", "301", True),
        ("decline", "101", False),
        ("decline", "close", False),
        ("decline", "200 200", False),
        ("decline+", "200 200", True),
        ("decline+", "200 101", False),
        ("100 101", "101", False),
        ("100 101", "100 101", True),
        ("101", "103 101", True),
        ("101", "100 103 101", True),
        ("same", "101", True),
        ("same", "404", False),
        ("open", "open", True),
        ("decline+ 101", "200 404 101", True),
        ("decline+", "200 " * 5000, True),
    ],
)
def test_patterns(allow, words, fits):
    """The words of the file's header mean what it says; an interim answer more is no harm."""
    judged = judge(case(allow=(allow,)), of(*words.split()))
    assert (judged.standing is Standing.WITHIN) == fits


def test_no_interim():
    """Where no 1xx may come, none is overlooked (RFC 9110, 15.2)."""
    assert judge(case(allow=("decline",), interim=False), of("100", "400")).standing is Standing.OUTSIDE


def test_same():
    """`same` is what the server made of the plain offer."""
    assert judge(case(allow=("same",)), of("404"), of("404")).standing is Standing.WITHIN
    assert judge(case(allow=("same",)), of("101"), of("404")).standing is Standing.OUTSIDE


def test_against_a_should():
    """What is allowed, but not advised, has a standing of its own."""
    advised = case(allow=("101", "400"), should=("400",), level="SHOULD")
    assert judge(advised, of("101")).standing is Standing.AGAINST
    assert judge(advised, of("400")).standing is Standing.WITHIN
    assert judge(advised, of("500")).standing is Standing.OUTSIDE


def test_carry_and_without():
    """A decline without a field that it must carry is outside, and so is a 101 with one that it must not."""
    carrying = case(carry=("Sec-WebSocket-Version",))
    named = outcome(answered(head("Sec-WebSocket-Version: 13", start="HTTP/1.1 400 Bad")))
    assert judge(carrying, named).standing is Standing.WITHIN
    nameless = judge(carrying, outcome(answered(head(start="HTTP/1.1 400 Bad"))))
    assert (nameless.standing, nameless.note) == (Standing.OUTSIDE, "the 400 has no Sec-WebSocket-Version")
    assert judge(case(without=("Upgrade",)), outcome(answered(SWITCH))).standing is Standing.OUTSIDE


def test_report():
    """A report counts, and is data with the version of the corpus."""
    rows = (Judged(case(), of("101"), Standing.WITHIN), Judged(case(), of("400"), Standing.OUTSIDE, ("why",)))
    report = Report("any", rows)
    assert (len(report), report.ok) == (2, False)
    assert report.summary == "1 of 2 cases within the RFCs, 0 against a SHOULD, 1 outside"
    data = report.data()
    assert (data["version"], data["counts"]["outside"], data["cases"][1]["note"]) == (1, 1, "why")
    assert data["whole"] is True


def test_a_report_that_is_not_whole_is_not_ok():
    """A run that was broken off is no success, and its data says so, with the reason."""
    report = Report("any", (Judged(case(), of("101"), Standing.WITHIN),), "Broken off", whole=False)
    assert not report.ok
    assert (report.data()["whole"], report.data()["note"]) == (False, "Broken off")


def test_frequent_reasons():
    """The reasons for which several cases are outside are counted, the most frequent first, at most three."""

    def outside(count: int, *reasons: str, word: str = "101") -> list[Judged]:
        return [Judged(case(allow=("400",)), of(word), Standing.OUTSIDE, reasons)] * count

    rows = [*outside(2, "b"), *outside(5, "a", "b"), *outside(3), *outside(1, "once"), *outside(2, "last")]
    rows.append(Judged(case(), of("101"), Standing.AGAINST, ("a",)))
    expected = [("b", 7), ("a", 5), ("101, where the RFCs allow: 400", 3)]
    assert Report("any", tuple(rows)).frequent() == expected
    assert Report("any", tuple(outside(1, "once"))).frequent() == []


# the lab's own server, in memory


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.id)
def test_the_simulated_server_is_within(each):
    """The simulated server is within the RFCs in every case, and against no SHOULD."""
    found = judge(each, outcome(predict(each, Server())))
    assert found.standing is Standing.WITHIN, f"{found.outcome}: {found.note}"


@pytest.mark.parametrize("each", cases(), ids=lambda each: each.id)
def test_the_check_and_the_corpus_agree(each):
    """What the corpus finds right in the lab's own server breaks no rule of the rule base either."""
    found = check(predict(each, Server()))
    assert [str(finding) for finding in found if finding.party == "server"] == []


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.rules])
def test_a_faulty_server_is_found_out(name):
    """Every fault that breaks a rule puts a server outside the RFCs in some case."""
    fault = FAULTS[name]
    server = Server(faults=(f"{name}={fault.example}" if fault.example else name,))
    some = [case for case in cases() if case.id in (PLAIN, "plain-get")]
    assert Standing.OUTSIDE in {judge(case, outcome(predict(case, server))).standing for case in some}

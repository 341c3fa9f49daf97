"""Predictions, answers and hints: recorded, compared, graded by exchanges, and never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

import labkit
from labkit.errors import WrongUse
from labkit.lessons import record
from labkit.lessons.exercises import exercise, exercises, look_back, predict
from labkit.lessons.grading import GRADERS
from labkit.lessons.record import entries
from labkit.lessons.rooms import sends
from labkit.phpcurl import (
    CURLINFO_RESPONSE_CODE,
    CURLOPT_HEADERFUNCTION,
    CURLOPT_HTTPHEADER,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_setopt_array,
)
from labkit.reads import naive

SWAPPED = """
location /chat {
    proxy_pass http://127.0.0.1:3000;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "CLOSE";
}
"""

OPEN = """
map $http_upgrade $passed {
    default $http_upgrade;
}
location / {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $passed;
    proxy_set_header Connection $http_connection;
}
location /admin { return 403; }
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(record.VARIABLE, str(tmp_path / record.FILE))
    record.forget()
    return tmp_path / record.FILE


def upgrades(url: str) -> bool:
    """Answer 05.upgrades another way than the notebook does."""
    handle, head = curl_init(url), []

    def stop(_: object, line: str) -> int:
        head.append(line)
        return -1 if line == "\r\n" else len(line)

    lines = [f"{name}: {value}" for name, value in labkit.Offer.websocket().fields if name != "Host"]
    curl_setopt_array(handle, {CURLOPT_HTTPHEADER: lines, CURLOPT_HEADERFUNCTION: stop})
    curl_exec(handle)
    wanted = labkit.accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    return curl_getinfo(handle, CURLINFO_RESPONSE_CODE) == 101 and any(wanted in line for line in head)


def test_every_exercise_has_a_grader_and_three_hints():
    """What is asked and what grades it are the same list, and each has three different hints."""
    assert list(exercises()) == list(GRADERS)
    for one in exercises().values():
        assert len(set(one.hints)) == 3
        assert all(hint.endswith((".", "?")) for hint in one.hints)
        assert one.hint(1) == f"Hint 1 of 3: {one.hints[0]}"
        assert one.question in str(one)


@pytest.mark.parametrize("number", [0, 4, "1", True, None, 1.0])
def test_there_is_no_other_hint(number: object):
    """Another number than 1, 2 or 3 is refused in a line."""
    with pytest.raises(WrongUse, match="there are the hints 1 to 3"):
        exercise("02.mend").hint(number)


@pytest.mark.parametrize("name", ["02.mended", "", None, 2])
def test_an_unknown_exercise_is_told_with_the_known(name: object):
    """A name that is none is refused, with those there are."""
    with pytest.raises(WrongUse, match=r"no exercise .*; there are 00\.ends, 01\.hi"):
        exercise(name)


@pytest.mark.parametrize("name", list(GRADERS))
def test_dots_are_no_answer_yet(name: str):
    """In a copy that nobody has worked on each check says what to do, and records nothing."""
    for dots in (..., [..., ...], (1, ...)):
        review = exercise(name).check(dots)
        assert not review.ok
        assert "write yours in place of the dots" in str(review)
        assert f'exercise("{name}").hint(1)' in review._repr_mimebundle_()["text/html"].replace("&quot;", '"')
    assert entries() == ()


ODD = [None, True, 5, -1, 1e300, "", "x", "ä\ud800\x00", b"", b"\x00" * 5000, [], [1], [1, 2], [1, 2, 3], ["x"] * 3, {},
       (object(), object()), object(), int, lambda: 1, lambda url: 1 / 0, labkit.Offer.plain(), labkit.Server()]  # fmt: skip


@pytest.mark.parametrize("name", list(GRADERS))
def test_an_odd_answer_is_no_exception(name: str):
    """Whatever is given, the answer is a review that says what does not hold, and the record takes it."""
    for odd in ODD[:-4] if name == "05.upgrades" else ODD:
        review = exercise(name).check(odd)
        assert not review.ok
        assert all(point.why for point in review.points if not point.holds), (odd, review)
    assert entries()[-1].value["ok"] is False


WRONG = [
    ("00.ends", ["switched", "refused"], 0),
    ("00.ends", ["refused", "ignored"], 1),
    ("01.hi", b"\x81\x82Hi", 2),
    ("01.hi", b"\x82\x02Hi", 2),
    ("02.watch", (0, 101), 0),
    ("02.watch", (28, 200), 0),
    ("02.mend", labkit.Offer.websocket("/chat"), 1),
    ("02.mend", labkit.Offer.bare().with_field("Connection", "keep-alive, Upgrade"), 1),
    ("03.accept", "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=", 0),
    ("03.guard", "Sec-WebSocket-Key", 0),
    ("03.guard", "Sec-WebSocket-Accept", 0),
    ("03.guard", "Host", 0),
    ("04.three", [404, 403, 400], 2),
    ("04.craft", [labkit.Offer.websocket("/chat"), labkit.Offer.plain("/chat")], 1),
    ("06.mend", SWAPPED, 1),
    ("06.mend", "location /chat { proxy_pass", 0),
    ("07.order", 'ProxyPass "/chat/" "ws://app.example.com/chat/"', 1),
    ("07.order", "ProxyPas", 0),
    ("08.codes", [1006, 1007, 1009, 1006], 3),
    ("08.codes", [1001, 1002, 1009, 1011], 2),
    ("08.close", bytes.fromhex("88 02 03 e8"), 1),
    ("08.close", bytes.fromhex("88 82 37 fa 21 3d 03 e8"), 3),
    ("09.mend", naive, 2),
    ("09.mend", lambda recv: recv().partition(b"\r\n\r\n")[2], 1),
    ("11.stall", sends, 1),
    ("11.stall", lambda guests, line: [guest.post(line) for guest in guests], 3),
    ("11.stall", lambda guests, line: any(guest.post(line) for guest in guests), 1),
    ("11.stall", lambda guests: None, 0),
    ("11.policies", ["drop oldest"] * 3, 1),
    ("11.policies", ["disconnect", "drop newest", "drop oldest"], 0),
    ("11.policies", ["drop oldest", "wait"], 0),
    ("13.map", OPEN, 2),
    ("13.map", OPEN.replace("default $http_upgrade", 'default ""'), 2),
    ("13.map", OPEN.replace("location /admin { return 403; }", ""), 1),
    ("13.defend", labkit.Server(), 2),
    ("13.defend", labkit.Server(origins=["evil.example"]), 2),
    ("13.defend", labkit.Server(origins=["https://server.example.com"], limits=labkit.Limits(message=10)), 3),
    ("13.defend", labkit.Server(decline=403), 2),
    ("13.defend", "Server()", 0),
    ("14.second", ("plain-get", "client"), 0),
]


@pytest.mark.parametrize(("name", "answer", "holding"), WRONG)
def test_a_wrong_answer_is_told_why(name: str, answer: object, holding: int):
    """The commonest wrong answers get as many points as they deserve, and a reason for each that is missing."""
    review = exercise(name).check(answer)
    assert not review.ok
    assert sum(point.holds for point in review.points) == holding, review
    assert "hint(1)" in str(review)


def test_a_wrong_accept_is_told_what_went_wrong():
    """The review of an Accept says which of the usual mistakes gives it."""
    assert "the key was lost on the way" in str(exercise("03.accept").check("Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="))


def test_a_function_is_asked_about_real_servers():
    """The function of 05 is called while three servers answer: it has to say no to two of them."""
    assert exercise("05.upgrades").check(upgrades).ok
    always, never, broken = (
        exercise("05.upgrades").check(one) for one in (lambda _: True, lambda _: 0, lambda _: 1 / 0)
    )
    assert [sum(point.holds for point in review.points) for review in (always, never, broken)] == [1, 2, 0]
    assert "ZeroDivisionError" in str(broken)
    assert "still open" in str(exercise("05.upgrades").check(lambda _: ...))


def test_an_answer_is_recorded_with_its_verdict():
    """Each try is kept: what was answered, and whether it was right."""
    exercise("01.hi").check(b"\x81\x82Hi")
    exercise("01.hi").check(bytes.fromhex("81 02 48 69"))
    assert [(entry.name, entry.value) for entry in entries()] == [
        ("01.hi", {"answer": "81 82 48 69", "ok": False}),
        ("01.hi", {"answer": "81 02 48 69", "ok": True}),
    ]


def test_a_prediction_is_recorded_before_the_run():
    """The line that is shown tells of the argument alone, and the record has the prediction."""
    assert repr(predict("00.famous", 101)) == "Recorded: you predict 101. Now run what follows."
    assert repr(predict("00.famous", ["Host", "Origin"])).startswith("Recorded: you predict ['Host', 'Origin'].")
    assert repr(predict("00.famous", "both")) == 'Recorded: you predict "both". Now run what follows.'
    assert [entry.value for entry in entries()] == [101, ["Host", "Origin"], "both"]


@pytest.mark.parametrize("dots", [..., [..., 1]])
def test_dots_are_no_prediction_yet(dots: object):
    """A cell that was run without a prediction says what to do, and nothing is recorded."""
    assert predict("00.famous", dots).startswith("No prediction yet: write yours")
    assert entries() == ()
    assert look_back("00.famous", 400) == "You predicted nothing; what came is 400."
    assert look_back("00.famous", dots).startswith("Nothing came yet")


def test_a_prediction_that_is_too_long_is_told_so():
    """What the record cannot hold is said in the line, and stops no lesson."""
    assert predict("00.famous", ["x" * 4000] * 50).startswith("Not recorded: 00.famous: ")
    assert predict("../x", 1).startswith("Not recorded: ")


@pytest.mark.parametrize(
    ("predicted", "came", "sign"),
    [
        (101, 101, "✓"), ("101", 101, "✓"), (101, 400, "≠"), ("Refused ", "refused", "✓"), (True, True, "✓"),
        (["Version", "Key"], ["Key", "Version"], "✓"), ([400, 101], [101, 400], "≠"), ((1, 2), [1, 2], "✓"),
        (None, None, "✓"), (b"Hi", "48 69", "✓"),
    ],
)  # fmt: skip
def test_looking_back_compares(predicted: object, came: object, sign: str):
    """A number may have been written as a text, and names in any order; statuses have an order."""
    predict("x", predicted)
    assert look_back("x", came).startswith(sign)
    assert entries()[-1].value["same"] is (sign == "✓")


def test_looking_back_at_a_trace():
    """Of an exchange the status is compared, and its outcome told; the last prediction counts."""
    predict("x", 101)
    predict("x", 400)
    trace = labkit.simulate(labkit.Scenario(labkit.Offer.bare()))
    assert look_back("x", trace) == "✓ You predicted 400, and that is what came."
    predict("x", 101)
    assert look_back("x", trace) == "≠ You predicted 101; what came is 400 (refused)."
    assert look_back("x", labkit.Trace(())) == "≠ You predicted 101; what came is no answer."


def test_a_line_cannot_speak_to_the_terminal():
    """What is predicted may hold anything; what is shown is clean and short."""
    shown = repr(predict("x", "\x1b[31m" + "y" * 5000))
    assert "\x1b" not in shown
    assert len(shown) < 400


class Odd:
    """An object that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __bool__ = __str__


def endless() -> list[object]:
    within: list[object] = []
    within.append(within)
    return within


@pytest.mark.parametrize(
    "odd",
    [endless(), [endless()] * 2, Odd(), [Odd(), Odd()], 10**5000, ["9" * 5000, "101"]],
    ids=["endless", "two endless", "odd", "two odd", "huge", "long"],
)
def test_odd_answers_raise_nothing(odd: object):
    """Whatever a learner hands in is looked at, or told to be of no use: predict, look back and every check."""
    assert isinstance(str(predict("00.odd", odd)), str)
    assert isinstance(str(look_back("00.odd", odd)), str)
    for name in GRADERS:
        assert not exercise(name).check(odd).ok


@pytest.mark.parametrize("said", [Odd, exit])
def test_a_function_may_do_anything(said):
    """What the learner's function raises, gives or ends is a point, and never the end of the lesson."""

    def upgrades(_url):
        return said()

    assert not exercise("05.upgrades").check(upgrades).ok


def test_no_secret_is_recorded():
    """An offer that is handed in with its cookie is shown and kept without it."""
    offer = labkit.Offer.websocket("/?token=tok1").with_field("Cookie", "a=sid2")
    told = f"{predict('00.offer', offer)}{look_back('00.offer', offer)}{entries()}"
    assert "tok1" not in told
    assert "sid2" not in told

from __future__ import annotations

import builtins
import json
import sys

import pytest

import labkit
from labkit.errors import Absent, WrongUse
from labkit.render.inspected import inspected
from labkit.widgets import inspector
from tests.render.exchanges import ASK, BAD_KEY, REPLY, REQUEST, declined, echo, switched

TRACE = echo(b"Hello")
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def widget(monkeypatch):
    """Return a widget whose messages to the page are kept in `sent`."""
    made = labkit.inspect(TRACE)
    made.sent = []
    monkeypatch.setattr(made, "send", made.sent.append)
    yield made
    made.close()


def ask(widget, *edits, number=1, view="v"):
    widget._handle_custom_msg({"view": view, "number": number, "edits": [list(edit) for edit in edits]}, [])
    return widget.sent[-1]


def test_the_page_is_given_script_style_and_document(widget):
    """The first state has all that a page needs."""
    state = widget.get_state()
    assert "export default" in state["_esm"]
    assert "--lk-ground" in state["_css"]
    assert state["document"] == inspected(TRACE)
    assert json.loads(json.dumps(state["document"])) == state["document"]


def test_an_edit_is_answered_with_what_changed(widget):
    """The answer has the question's number and view, and only the steps that are not as before."""
    answer = ask(widget, (0, "client", 9, ord("4")), number=7, view="abc")
    assert (answer["view"], answer["number"]) == ("abc", 7)
    assert answer["document"]["title"].startswith("Declined: refused (401)")
    assert answer["document"]["steps"][0] is None
    assert [step for step in answer["document"]["steps"] if step and step["name"].startswith("HTTP/1.1 401")]
    assert widget.edits == {(0, REPLY, 9): ord("4")}
    assert widget.trace.stream(REPLY).startswith(b"HTTP/1.1 401")
    assert repr(widget) == "<Inspector: Declined: refused (401), 5 steps, 1 edited>"


def test_answers_build_on_each_other(widget):
    """Each answer tells what differs from the one before, also when edits are taken back."""
    first = ask(widget, (0, "client", 9, ord("4")), number=1)["document"]
    back = ask(widget, number=2)["document"]
    steps = [
        first["steps"][n] if step is None else step
        for n, step in enumerate(back["steps"])
    ]  # fmt: skip
    assert [step or inspected(TRACE)["steps"][n] for n, step in enumerate(steps)] == inspected(TRACE)["steps"]
    assert back["edits"] == []
    assert widget.trace == TRACE


def test_a_page_that_opens_later_gets_the_document_of_now(widget):
    """A browser that is reloaded finds the edits again."""
    ask(widget, (0, "client", 9, ord("4")))
    assert widget.get_state()["document"] == inspected(TRACE, {(0, REPLY, 9): ord("4")})


@pytest.mark.parametrize(
    "edits", [[[0, "client", 10**6, 1]], [[0, "client", 1, 256]], "x", None, [[0, "sideways", 1, 2]]]
)
def test_a_wrong_edit_is_answered_in_words(widget, edits):
    """The page is told what was wrong, and what is shown stays."""
    widget._handle_custom_msg({"view": "v", "number": 3, "edits": edits}, [])
    (answer,) = widget.sent
    assert answer["number"] == 3
    assert answer["error"]
    assert widget.edits == {}


def test_a_message_that_is_no_question_is_answered_too(widget):
    """Nothing that a page can send raises in the kernel."""
    widget._handle_custom_msg("what", [])
    assert "a page asks with an object" in widget.sent[-1]["error"]


def test_secrets_never_reach_the_page():
    """The page and every answer hold the masked trace; what is kept is asked for."""
    secret = declined(BAD_KEY, REQUEST[:-2] + b"Cookie: id=correct-horse\r\n\r\n")
    widget = labkit.inspect(secret)
    at = secret.stream(ASK).index(b"Cookie")
    assert "correct-horse" not in json.dumps(widget.get_state())
    assert b"correct-horse" not in widget.trace.stream(ASK)
    sent = []
    widget.send = sent.append
    widget._handle_custom_msg({"view": "v", "number": 1, "edits": [[0, "server", at + 5, 0x7A]]}, [])
    assert b"correct-horse".hex() not in json.dumps(sent)
    kept = labkit.inspect(secret, keep_secrets=True)
    assert b"correct-horse" in kept.trace.stream(ASK)


def test_it_shows_itself_as_a_twin_and_a_widget(monkeypatch, widget):
    """A cell gets two outputs: what every viewer shows, and the live one, which says nothing else."""
    shown = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda data, metadata: shown.append((data, metadata)))
    widget._ipython_display_()
    (twin, _), (live, _) = shown
    assert set(twin) == {"text/html", "text/plain"}
    assert set(live) == {VIEW}


@pytest.mark.parametrize("wrong", ["exchange.jsonl", None, b"GET"])
def test_what_is_no_trace_is_told(wrong):
    """A file's name in place of a trace gets the words that load it."""
    with pytest.raises(WrongUse, match="load it first"):
        labkit.inspect(wrong)


def test_without_anywidget_it_says_what_to_install(monkeypatch):
    """An absent widget library is one sentence, which knows another way too."""
    real = builtins.__import__

    def without(name, *rest):
        if name == "anywidget":
            raise ImportError(name)
        return real(name, *rest)

    inspector._kind.cache_clear()
    monkeypatch.delitem(sys.modules, "anywidget", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Absent, match=r"labkit inspect FILE -o page\.html"):
        labkit.inspect(TRACE)
    inspector._kind.cache_clear()


def test_it_describes_itself_without_an_address(widget):
    """Its text is the same in every run."""
    assert repr(widget) == "<Inspector: Switched to websocket (101), 7 steps>"
    assert repr(labkit.inspect(switched())).startswith("<Inspector: Switched")

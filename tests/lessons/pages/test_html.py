"""A notebook as a page: what is shown, what is left out, and that nothing has to be fetched."""

from __future__ import annotations

import re
from copy import deepcopy

import nbformat
import pytest

from labkit.lessons.pages.html import body, page, readable, title
from labkit.render.theme import LIGHT, contrast


def code(source: str, *outputs: dict) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(
        source, outputs=[nbformat.v4.new_output("execute_result", each) for each in outputs]
    )


def notebook(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


ASKED = notebook(code("prediction = 101  # your answer", {"text/plain": "101"}), code("1 + 1", {"text/plain": "2"}))


def test_answers_are_left_out():
    """Where a learner is asked, dots stand in place of the answer, and what that cell said is left out."""
    shown = readable(ASKED)
    assert shown.cells[0].source == "prediction = ...  # your answer"
    assert shown.cells[0].outputs == []
    assert shown.cells[1] == ASKED.cells[1]


def test_the_teacher_sees_the_answers():
    """With answers, everything stays; and the notebook itself is never changed."""
    before = deepcopy(ASKED)
    assert readable(ASKED, answers=True) == before
    readable(ASKED)
    assert before == ASKED


def test_what_tells_an_answer_is_left_out():
    """The output of a cell that is tagged so goes with the answers; its code stays."""
    told = notebook(code("why(broken)", {"text/plain": "write the line"}))
    told.cells[0].metadata["tags"] = ["tells-an-answer"]
    assert "write the line" not in body(readable(told))
    assert "why" in body(readable(told))
    assert "write the line" in body(readable(told, answers=True))


def test_a_live_widget_gives_way_to_its_static_twin():
    """What needs a kernel is left out, what stands for it without one is shown."""
    live = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "text/html": "<b>twin</b><script>keys()</script>",
        "text/plain": "t",
    }
    html = body(readable(notebook(code("inspect(trace)", live))))
    assert "<b>twin</b>" in html
    assert "keys()" not in html
    assert "<script" not in html
    assert "model_id" not in html


def test_links_lead_to_the_other_pages():
    """A link to another notebook leads to its page; any other link stays as it is."""
    html = body(
        notebook(
            nbformat.v4.new_markdown_cell(
                "[a](01-one-upgrade.ipynb) [b](02-curl.ipynb#Mend) [c](https://example.com/x.ipynb)"
            )
        )
    )
    links = re.findall(r'href="([^"]+)"', html)
    assert links == ["01-one-upgrade.html", "02-curl.html#Mend", "https://example.com/x.ipynb"]


def test_a_title_is_plain_text():
    """The page's title is the first H1 without its marks, and is escaped."""
    named = notebook(nbformat.v4.new_markdown_cell("# Is `a<b` *true*?\n\nwords"))
    assert title(named) == "Is a<b true?"
    assert "<title>Is a&lt;b true?</title>" in page(title(named), "")
    assert title(notebook()) == "Notebook"


def test_code_can_be_read():
    """The colours that the style sheet gives to code have a contrast of 4.5 to 1 on its ground."""
    css = page("x", "")
    used = set(re.findall(r"\.highlight \.\w+[^{}]*\{ color: var\(--(\w+)\)", css))
    assert {"client", "soft"} == used
    assert all(contrast(getattr(LIGHT, name), LIGHT.zone) >= 4.5 for name in used)
    known = set(re.findall(r"(--[\w-]+):", css))
    assert set(re.findall(r"var\((--[\w-]+)\)", css)) <= known


@pytest.mark.parametrize("name", ["handout.css", "slides.css", "slides.js"])
def test_own_files_name_no_address(name):
    """Neither a style sheet nor a script of the lab's fetches anything."""
    text = page("x", "", [name] if name.endswith(".css") else (), name if name.endswith(".js") else "")
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|import ", text)

"""Every reference notebook: first as a copy that nobody has trusted shows it, then run from top to bottom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from labkit.lessons.notebooks import FIRST, notebooks_in, read
from tests.ui.rig import FRONT, ROOT, Page

LESSONS = notebooks_in(ROOT / "notebooks")
# Tables that scroll inside their output, and why that is so.
WIDE = {"00-16": "a real request of this machine: its path holds two long identifiers"}

NO_TEXT = ("", "Image")  # JupyterLab itself writes "Image" where a picture has no text
# Cells where a live widget takes the place of the static twin, and what looks at it.
LIVE = {
    "01-34": "the inspector: tests/ui/test_inspector.py",
    "x34": "the workbench: tests/ui/test_workbench.py",
    "09-15": "the slider: tests/ui/test_seam.py",
}

DRAWN = """count => {
    const pictures = [...document.querySelectorAll(".jp-Notebook img")];
    return document.querySelectorAll(".jp-Notebook .jp-RenderedMermaid img").length >= count
        && pictures.every(picture => picture.complete);
}"""
LOOK = """() => [...document.querySelectorAll(".jp-Notebook .jp-Cell")].map(cell => {
    const outputs = [...cell.querySelectorAll(".jp-OutputArea-output")];
    const within = (output, name) => [...output.querySelectorAll(name)];
    outputs.flatMap(output => within(output, "details")).forEach(each => each.open = true);
    return {
        trusted: outputs.some(output => output.classList.contains("jp-mod-trusted")
            && output.dataset.mimeType === "text/html"),
        errors: outputs.filter(output => /error|stderr/.test(output.dataset.mimeType)).map(each => each.textContent),
        text: outputs.map(output => output.textContent).join("\\n"),
        pictures: outputs.flatMap(output => within(output, "img")).map(({alt, naturalWidth, width, height}) =>
            ({alt, drawn: naturalWidth > 0 && width > 0 && height > 0})),
        tables: outputs.flatMap(output => within(output, "table").map(table =>
            ({rows: table.rows.length, over: table.getBoundingClientRect().width - output.clientWidth,
              scrolls: getComputedStyle(output).overflowX === "auto"}))),
    };
})"""
SIDEWAYS = """() => {
    const panel = document.querySelector(".jp-WindowedPanel-outer");
    return [panel.scrollWidth - panel.clientWidth, document.body.scrollWidth - innerWidth];
}"""


@dataclass
class Shown:
    """One notebook in the browser; `before` and `after` say of every cell what `LOOK` saw."""

    page: Page
    notebook: Any
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]

    def cells(self):
        """Yield id, cell, before, after of every code cell."""
        for cell, before, after in zip(self.notebook.cells, self.before, self.after, strict=True):
            if cell.cell_type == "code":
                yield cell.id, cell, before, after

    def compared(self):
        """Yield the same of those whose output is the same on every machine."""
        return (
            each
            for each in self.cells()
            if "nbval-ignore-output" not in each[1].metadata.get("tags", []) and each[0] not in LIVE
        )


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.stem)
def shown(lab, copies, request):
    notebook = read(request.param)
    page = lab.open(f"{copies}/{request.param.name}")
    before = look(page, notebook)
    page.run_all()
    return Shown(page, notebook, before, look(page, notebook))


def look(page, notebook):
    page.tab.wait_for_function(DRAWN, arg=mermaid(notebook), timeout=20_000)
    return page.ask(LOOK)


def mermaid(notebook) -> int:
    """Return how many Mermaid pictures a notebook has, as its cells and their committed outputs say."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    texts += [
        output.get("data", {}).get("text/markdown", "") for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    return sum(text.count("```mermaid\n") for text in texts)


def count(cell, name: str) -> int:
    """Return how many elements of a name the HTML of a cell's committed outputs has."""
    return sum(len(re.findall(rf"<{name}\b", output.get("data", {}).get("text/html", ""))) for output in cell.outputs)


def test_no_cell_fails_or_warns(shown):
    """Run from top to bottom, no cell raises or writes to the error stream, and every one has been run."""
    assert {name: after["errors"] for name, _, _, after in shown.cells() if after["errors"]} == {}
    prompts = shown.page.tab.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
    assert prompts == [f"[{number}]:" for number in range(1, len(prompts) + 1)]


def test_a_never_trusted_copy_shows_every_picture_and_table(shown):
    """Without trust, and before anything has run, the page has the pictures and tables that the file holds."""
    for name, cell, before, _ in shown.cells():
        assert not before["trusted"], name
        pictures = [each for each in before["pictures"] if each["drawn"]]
        assert len(pictures) >= count(cell, "img"), name
        assert len(before["tables"]) == count(cell, "table"), name


def test_what_ran_says_what_the_copy_said(shown):
    """The compared outputs are the same text, pictures and tables, run here or stored and untrusted."""
    for name, _, before, after in shown.compared():
        assert after["text"] == before["text"], name
        assert after["pictures"] == before["pictures"], name
        assert [each["rows"] for each in after["tables"]] == [each["rows"] for each in before["tables"]], name


def test_every_picture_is_drawn_and_has_a_text(shown):
    """A picture has a size above 0 and an alternative text."""
    for name, _, _, after in shown.cells():
        for picture in after["pictures"]:
            assert picture["drawn"], (name, picture)
            assert picture["alt"] not in NO_TEXT, name


def test_no_table_makes_the_page_scroll_sideways(shown):
    """A table fits on a small laptop's screen, or is listed here and scrolls inside its output."""
    wide = {name for name, _, _, after in shown.cells() for table in after["tables"] if table["over"] > 0}
    assert wide <= set(WIDE)
    assert all(table["scrolls"] for _, _, _, after in shown.cells() for table in after["tables"])
    assert max(shown.page.ask(SIDEWAYS)) <= 0


def test_it_begins_with_its_question_and_its_links_work(shown):
    """The page has one title, at its top; its link leads to the next notebook, whose own leads back."""
    tab = shown.page.tab
    titles = tab.locator(".jp-Notebook h1")
    assert titles.count() == 1
    assert titles.evaluate("title => title.closest('.jp-Cell') === document.querySelector('.jp-Notebook .jp-Cell')")
    here = tab.evaluate("() => jupyterapp.shell.currentWidget.context.path")
    place = [lesson.name for lesson in LESSONS].index(here.rpartition("/")[2])
    links = shown.page.cell(len(shown.notebook.cells) - 1).locator("a[href*='.ipynb']")
    onward = place < len(LESSONS) - 1
    assert links.count() == (place > 0) + onward
    if onward:
        links.last.click()
        at(shown.page, here.replace(LESSONS[place].name, LESSONS[place + 1].name))
        tab.locator(f"{FRONT} .jp-Cell").last.locator("a[href*='.ipynb']").first.click()
        at(shown.page, here)


def at(page, path: str) -> None:
    page.tab.wait_for_function(
        "path => jupyterapp.shell.currentWidget?.context?.path === path", arg=path, timeout=20_000
    )
    page.wait_ready()


def test_the_page_that_labkit_lab_prints_shows_the_first_learner_copy(lab):
    """It is 00, trusted, with no output, no count, and no answer in it."""
    page = lab.visit("")
    page.wait_ready()
    assert page.ask("() => jupyterapp.shell.currentWidget.context.path") == FIRST
    assert page.tab.locator(".jp-OutputArea-output").count() == 0
    assert set(page.tab.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()) == {"[ ]:"}
    sources = page.ask(
        "() => jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.source)"
    )
    answers = re.findall(r"(?m)^.*# your answer$", "\n".join(sources))
    assert answers
    assert all("..." in answer for answer in answers)

"""Slides: how a notebook is cut, and that a browser turns them by key and by button, without a network."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from labkit.lessons.notebooks import notebooks_in, read
from labkit.lessons.pages.html import readable
from labkit.lessons.pages.slides import cut, main, slides
from tests.lessons.pages.test_handout import look
from tests.ui.rig import CHROMIUM, FLAGS, need_browser

ROOT = Path(__file__).parents[3]
LESSONS = notebooks_in(ROOT / "notebooks")


def text(source: str, kind: str = "") -> nbformat.NotebookNode:
    told = {"slideshow": {"slide_type": kind}} if kind else {}
    return nbformat.v4.new_markdown_cell(source, metadata=told)


def code(source: str, *outputs: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, outputs=[nbformat.v4.new_output("stream", text=each) for each in outputs])


def sources(*cells: nbformat.NotebookNode) -> list[list[str]]:
    return [[cell.source for cell in slide] for slide in cut(nbformat.v4.new_notebook(cells=list(cells)))]


def test_headings_and_outputs_cut():
    """A heading begins a slide, and so does what follows an output; a cell that shows nothing does not end one."""
    cells = [
        text("# One"),
        text("a"),
        code("x = 1"),
        text("b"),
        code("x", "1"),
        text("c"),
        text("## Two"),
        code("y", "2"),
    ]
    assert sources(*cells) == [["# One", "a", "x = 1", "b", "x"], ["c"], ["## Two", "y"]]


def test_imports_and_links_are_left_out():
    """Import cells are no slide's matter, nor are the links to other notebooks."""
    cells = [
        text("# One"),
        code("from labkit import ask\nimport re"),
        text("## Key points\n\n- a\n\n---\nNext: [b](b.ipynb)"),
    ]
    assert sources(*cells) == [["# One"], ["## Key points\n\n- a\n"]]


def test_metadata_is_obeyed():
    """Where cells say what they are, they are cut as they say, and notes and skipped ones are left out."""
    cells = [
        text("# One", "slide"), text("## still one"), text("note", "notes"), text("out", "skip"), text("more", "fragment"),
        text("two", "subslide"), text("same", "-"), text("three", "slide"),
    ]  # fmt: skip
    assert sources(*cells) == [["# One", "## still one", "more"], ["two", "same"], ["three"]]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_notebook_can_be_cut(lesson: Path):
    """A lesson gives between five and forty slides; its title is the first, and each slide is named."""
    notebook = readable(read(lesson))
    parts = cut(notebook)
    html = slides(notebook)
    assert 5 <= len(parts) <= 40
    assert parts[0][0].source.startswith("# ")
    assert [f'aria-label="slide {number} of {len(parts)}"' in html for number in range(1, len(parts) + 1)] == [
        True
    ] * len(parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_browser()
    made = tmp_path_factory.mktemp("pages") / "slides"
    assert main([str(made)]) == 0
    return made


def test_a_browser_asks_nobody(folder: Path):
    """Chromium shows all of them without any request, and without a complaint."""
    seen, said = look(folder)
    assert len(seen) == len(LESSONS) + 1
    assert [url for urls in seen.values() for url in urls if not url.startswith("data:")] == []
    assert said == []


def test_slides_are_turned(folder: Path):
    """Keys, buttons and the address turn them; one slide is seen at a time, and none is wider than the window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            opened = browser.new_page(viewport={"width": 1280, "height": 720})
            opened.goto((folder / "01-one-upgrade.html").as_uri())
            last = opened.locator(".slide").count()

            def now() -> int:
                seen = opened.evaluate(
                    "[...document.querySelectorAll('.slide')].flatMap((one, at) => one.checkVisibility() ? [at] : [])"
                )
                assert len(seen) == 1
                assert opened.inner_text(".controls output") == f"{seen[0] + 1} / {last}"
                return seen[0] + 1

            assert now() == 1
            for key, there in (
                ("ArrowRight", 2),
                ("PageDown", 3),
                (" ", 4),
                ("ArrowLeft", 3),
                ("PageUp", 2),
                ("End", last),
                ("Home", 1),
            ):
                opened.keyboard.press(key)
                assert now() == there, key
            opened.click(".controls button[aria-label=on]")
            assert now() == 2
            opened.keyboard.press("Enter")  # the button has the focus no more: nothing is turned
            assert now() == 2
            opened.evaluate("location.hash = '#5'")
            opened.wait_for_function("document.querySelector('.controls output').textContent.startsWith('5 ')")
            assert now() == 5
            for _ in range(last):
                opened.keyboard.press("ArrowRight")
                assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert opened.locator(".controls button[aria-label=on]").is_disabled()
        finally:
            browser.close()


def test_without_a_script_all_slides_are_there(folder: Path):
    """Where scripts are off the slides stand one below the other, and the buttons are hidden."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            opened = browser.new_context(java_script_enabled=False).new_page()
            opened.goto((folder / "00-start-here.html").as_uri())
            all_of_them = opened.locator(".slide")
            assert all(all_of_them.nth(number).is_visible() for number in range(all_of_them.count()))
            assert not opened.locator(".controls").is_visible()
        finally:
            browser.close()

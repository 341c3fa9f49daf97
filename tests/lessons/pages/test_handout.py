"""The handout: every notebook, whole, on pages that a browser opens without asking anybody for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.lessons.notebooks import notebooks_in, read
from labkit.lessons.pages.handout import main
from labkit.lessons.pages.html import title
from tests.ui.rig import CHROMIUM, FLAGS, need_browser

ROOT = Path(__file__).parents[3]
LESSONS = notebooks_in(ROOT / "notebooks")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages") / "handout"
    assert main([str(made)]) == 0
    return made


def test_every_notebook_has_its_page(folder: Path):
    """There is one file for each notebook, and one that links to all of them, with the minutes."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(f"{path.stem}.html" for path in LESSONS), "index.html"]
    )
    listed = (folder / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([\w-]+)\.html"', listed) == [path.stem for path in LESSONS]
    assert len(re.findall(r'"minutes">\d+ minutes?', listed)) == len(LESSONS)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_pages_are_whole_and_link_to_what_is_there(folder: Path, lesson: Path):
    """A page has the notebook's every picture inside, its title, and only links that lead somewhere."""
    text = (folder / f"{lesson.stem}.html").read_text(encoding="utf-8")
    pictures = [
        output
        for cell in read(lesson).cells
        for output in cell.get("outputs", [])
        if "<img" in output.get("data", {}).get("text/html", "")
    ]
    assert len(re.findall(r"<img [^>]*src=\"data:", text)) >= len(pictures)
    assert not re.search(r"<script|<img [^>]*src=\"(?!data:)|<link (?!rel=\"icon\" href=\"data:,\")", text)
    assert f"<title>{title(read(lesson)).replace(chr(39), '&#x27;')}</title>" in text
    for link in re.findall(r'href="([^"#:]+)(?:#[^"]*)?"', text):
        assert (folder / link).is_file()


def test_a_browser_asks_nobody(folder: Path):
    """Chromium loads every page from its file: no other request, no complaint, every picture drawn."""
    need_browser()
    seen, said = look(folder)
    assert len(seen) == len(LESSONS) + 1
    assert [url for urls in seen.values() for url in urls if not url.startswith("data:")] == []
    assert said == []


def look(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Open every page of a folder; return what each asked for besides itself, and what was complained of."""
    from playwright.sync_api import sync_playwright

    seen: dict[str, list[str]] = {}
    said: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            for path in sorted(folder.glob("*.html")):
                opened, asked = browser.new_page(), []
                opened.on("request", lambda request, asked=asked: asked.append(request.url))
                opened.on("console", lambda message: said.append(message.text))
                opened.on("pageerror", lambda error: said.append(str(error)))
                opened.goto(path.as_uri(), wait_until="load")
                undrawn = opened.evaluate(
                    "[...document.images].filter(image => !image.complete || !image.naturalWidth).length"
                )
                said.extend([f"{path.name}: {undrawn} pictures not drawn"] if undrawn else [])
                asked.remove(path.as_uri())
                seen[path.name] = asked
                opened.close()
        finally:
            browser.close()
    return seen, said


def test_answers_are_for_the_teacher(tmp_path: Path, folder: Path):
    """Without --answers no page has one; with it, all have."""
    assert main([str(tmp_path), "--answers"]) == 0
    pages = [(folder / f"{path.stem}.html", tmp_path / f"{path.stem}.html") for path in LESSONS]
    asked = [(without.read_text("utf-8"), with_them.read_text("utf-8")) for without, with_them in pages]
    assert any("# your answer" in without for without, _ in asked)
    for without, with_them in asked:
        assert without.count("# your answer") == with_them.count("# your answer")
        lines = re.findall(r"^.*# your answer.*$", re.sub(r"<[^>]+>", "", without), re.MULTILINE)
        assert all("..." in line for line in lines)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path, capsys):
    """Where the folder cannot be made, one line says so."""
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file" / "handout")]) == 1
    assert capsys.readouterr().err == f"cannot write to {tmp_path / 'file' / 'handout'}: Not a directory\n"


def test_the_command_runs(tmp_path: Path):
    """`python -m labkit.lessons.pages.handout FOLDER` says how many files there are, and which to open."""
    command = [sys.executable, "-m", "labkit.lessons.pages.handout", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert re.fullmatch(rf"{len(LESSONS) + 1} files, \d\.\d MB; open \S+index\.html\n", done.stdout)

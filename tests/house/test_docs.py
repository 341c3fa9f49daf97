"""The written pages: every link leads somewhere, and every block of Python runs and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from tests.house.pages import PAGES, ROOT, anchors, broken, code_in, inside, links, sections, tree

DOCS = [page for page in PAGES if page.parent.name == "docs"]


def shown(page):
    """Return the blocks of Python of a page, each with the block of text right below it, or an empty one."""
    nodes = [node for node in inside(tree(page.read_text(encoding="utf-8"))) if node["type"] != "blank_line"]
    below = [*nodes[1:], {"type": "end"}]
    return [
        (node["raw"], after["raw"] if code_in(after) == "text" else "")
        for node, after in zip(nodes, below, strict=True)
        if code_in(node) == "python"
    ]


RUN = [(page.name, number, *pair) for page in DOCS for number, pair in enumerate(shown(page), 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """Files, headings, and the cells of notebooks that a link names are there."""
    assert broken(page) == []


@pytest.mark.parametrize(("name", "number", "source", "below"), RUN, ids=[f"{name}-{at}" for name, at, *_ in RUN])
def test_every_block_runs(name, number, source, below, tmp_path, monkeypatch):
    """A block of Python in docs/ runs by itself, what it asserts holds, and it prints the text below it."""
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, f"{name}, block {number}", "exec"), {"__name__": "page"})
    assert out.getvalue() == below
    assert below or "assert " in source, "it neither asserts nor prints"


@pytest.fixture
def shelf(tmp_path):
    """Make a small repository: a page with three headings, and a notebook with some."""
    (tmp_path / "other.md").write_text("# One `two`, three!\n\n## Again\n\n## Again\n\n```sh\n# No heading\n```\n")
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["first = 1\n", "first"]},
        {"cell_type": "markdown", "source": ["words\n", "\n", "## After the `101`\n", "more"]},
        {"cell_type": "code", "source": ["ask(server.url)"]},
        {"cell_type": "markdown", "source": ["## Twice"]},
        {"cell_type": "markdown", "source": ["## Twice"]},
    ]
    (tmp_path / "lesson.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


GOOD = [
    "[file](other.md)", "[heading](other.md#one-two-three)", "[second of one name](other.md#again-1)", "[own](#here-i-am)",
    "[away](https://example.com/none)", "![picture](other.md)", "`[no link](nothing.md)`", "[folder](.)",
    "[notebook](lesson.ipynb)", "[heading of it](lesson.ipynb#After-the-101)", "[cell: `first = 1`](lesson.ipynb)",
    "[cell: `ask(`, `.url`](lesson.ipynb#After-the-101)", '<img src="other.md">', "| a |\n|---|\n| [cell](other.md) |",
]  # fmt: skip
BAD = {
    "[file](none.md)": "no none.md",
    "[heading](other.md#two)": "no heading #two",
    "[heading of code](other.md#no-heading)": "no heading",
    "[own](#nowhere)": "no heading #nowhere",
    "[heading](lesson.ipynb#Nowhere)": "no heading #Nowhere",
    "[ambiguous](lesson.ipynb#Twice)": "or two",
    "[cell: `first = 2`](lesson.ipynb)": "no cell in it with first = 2",
    "[cell: `first = 1`](lesson.ipynb#After-the-101)": "no cell under",
    "[cell: `ask(`, `first`](lesson.ipynb#After-the-101)": "no cell under #After-the-101 with first",
    "[absolute](/etc/hostname)": "leaves",
    "[above](../)": "leaves",
    "[nothing]()": "empty",
    "![picture](none.svg)": "no none.svg",
    '<source srcset="none.svg">': "no none.svg",
    "| a |\n|---|\n| [in a table](none.md) |": "no none.md",
    "[reference][1]\n\n[1]: none.md": "no none.md",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_good_link_passes(shelf, text):
    """What leads somewhere is not called broken; what leaves the repository is not followed."""
    (shelf / "page.md").write_text(f"# Here I am\n\n{text}\n")
    assert broken(shelf / "page.md", shelf) == []


@pytest.mark.parametrize("text", BAD)
def test_a_broken_link_is_named(shelf, text):
    """A link that leads nowhere is told, with its page and what is missing."""
    (shelf / "page.md").write_text(f"# Here I am\n\n{text}\n")
    (found,) = broken(shelf / "page.md", shelf)
    assert found.startswith("page.md: [")
    assert BAD[text] in found


def test_the_reference_notebooks_have_headings():
    """The notebooks are read as they are: each heading that a link can name has its cells."""
    first = sections(ROOT / "notebooks/00-start-here.ipynb")
    assert any("UpgradeServer()" in cell for cell in first["Run"])
    assert len(first[""]) > len(first["Run"])


def test_pages_are_read_as_github_reads_them():
    """The README's own headings and links are found, its pictures too."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "why-does-it-say-no" in anchors(text)
    assert {"docs/exchange.svg", "docs/exchange-dark.svg", "CONTRIBUTING.md"} <= {link.target for link in links(text)}
    assert {Path("README.md"), Path("CONTRIBUTING.md")} <= {page.relative_to(ROOT) for page in PAGES}

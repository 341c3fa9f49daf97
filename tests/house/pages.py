"""The written pages: their text as a tree, the links in them, and whether each link leads somewhere.

A link to a heading of a notebook may name code: every `code` in its text has to stand in one cell under that heading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import mistune

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(ROOT.glob("docs/*.md"))]

Node = dict[str, Any]


class Link(NamedTuple):
    """A link as it is written: its text, the pieces of code in the text, and where it goes."""

    text: str
    code: tuple[str, ...]
    target: str

    @property
    def outside(self) -> bool:
        """Whether it leaves this repository; those are not followed."""
        return bool(urlsplit(self.target).scheme)

    @property
    def parts(self) -> tuple[str, str]:
        """The path, and the heading's anchor."""
        path, _, anchor = self.target.partition("#")
        return unquote(path), unquote(anchor)


def tree(text: str) -> list[Node]:
    """Return the nodes of a page in Markdown."""
    nodes = mistune.create_markdown(renderer="ast", plugins=["table", "strikethrough"])(text)
    assert isinstance(nodes, list)
    return nodes


def inside(nodes: list[Node]) -> Iterator[Node]:
    """Yield every node, those within others too, in the order of the page."""
    for node in nodes:
        yield node
        yield from inside(node.get("children", []))


def plain(node: Node) -> str:
    """Return the words of a node, without its marks."""
    if node["type"] in ("softbreak", "linebreak"):
        return " "
    return node.get("raw", "") + "".join(plain(child) for child in node.get("children", []))


def links(text: str) -> Iterator[Link]:
    """Yield the links and the pictures of a page, also those that are written as HTML."""
    for node in inside(tree(text)):
        if node["type"] in ("link", "image"):
            code = tuple(each["raw"] for each in inside(node["children"]) if each["type"] == "codespan")
            yield Link(plain(node), code, node["attrs"]["url"])
        elif node["type"] in ("block_html", "inline_html"):
            for target in re.findall(r"""(?:src|srcset|href)=["']([^"']*)""", node["raw"]):
                yield Link("", (), target)


def anchors(text: str) -> list[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for node in inside(tree(text)):
        if node["type"] == "heading":
            words = re.sub(r"[^\w\- ]", "", plain(node).lower()).replace(" ", "-")
            before = sum(re.fullmatch(rf"{re.escape(words)}(-\d+)?", each) is not None for each in found)
            found.append(f"{words}-{before}" if before else words)
    return found


@cache
def sections(notebook: Path) -> dict[str, list[str]]:
    """Return the code cells of a notebook by the heading above them, named as Jupyter names it; "" has them all.

    Where two headings have one name, a link cannot tell them apart: such a name is left out.
    """
    found: dict[str, list[str]] = {"": []}
    twice = set()
    at = ""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            found[""].append(source)
            if at:
                found[at].append(source)
            continue
        for node in tree(source):
            if node["type"] == "heading":
                at = plain(node).replace(" ", "-")
                twice |= {at} & set(found)
                found.setdefault(at, [])
    return {name: cells for name, cells in found.items() if name not in twice}


def wrong(link: Link, page: Path, root: Path = ROOT) -> str:
    """Return what is wrong with a link of a page: an empty text where it leads somewhere."""
    path, anchor = link.parts
    file = (page.parent / path).resolve() if path else page
    if not path and not anchor:
        return "it is empty"
    if path.startswith("/") or not file.is_relative_to(root):
        return "it leaves the repository"
    if not file.exists():
        return f"there is no {path}"
    if file.suffix == ".ipynb":
        return _wrong_in_notebook(link.code, file, anchor)
    if anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text(encoding="utf-8"))):
        return f"{file.name} has no heading #{anchor}"
    return ""


def _wrong_in_notebook(code: tuple[str, ...], notebook: Path, anchor: str) -> str:
    known = sections(notebook)
    if anchor not in known:
        return f"{notebook.name} has no heading #{anchor}, or two"
    for each in code:
        if not any(each in cell for cell in known[anchor]):
            where = f"under #{anchor}" if anchor else "in it"
            return f"{notebook.name} has no cell {where} with {each}"
    return ""


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """Return a line for each link of a page that leads nowhere."""
    followed = [link for link in links(page.read_text(encoding="utf-8")) if not link.outside]
    reasons = ((link, wrong(link, page, root)) for link in followed)
    return [f"{page.name}: [{link.text}]({link.target}): {reason}" for link, reason in reasons if reason]


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code of a page that are in this language."""
    return [each["raw"] for each in inside(tree(text)) if code_in(each) == language]


def code_in(node: Node) -> str | None:
    """Return the language of a block of code; None for any other node."""
    return node.get("attrs", {}).get("info", "") if node["type"] == "block_code" else None

"""docs/seed.md: the whole document, each statement with a verdict and a cell, all of S1 to S28; its examples are run."""

from __future__ import annotations

import hashlib
import json
import re
from typing import NamedTuple

import pytest

import labkit
from labkit.lessons.answers import SEED_DIAGRAM, review_mermaid
from labkit.net.programs import find
from tests.house.pages import ROOT, Node, anchors, blocks, code_in, inside, plain, tree

PAGE = (ROOT / "docs/seed.md").read_text(encoding="utf-8")
EXAMPLES = ("mermaid", "sh", "http", "php", "apache", "nginx")  # what is quoted; our own blocks are python and text
VERDICTS = ("true", "half true", "false", "does not work as written")
QUOTED = "7edf3584f0d608f7"  # of the quotes without white space, when they were held against the document


class Statement(NamedTuple):
    """A statement of the document, and what the page says about it."""

    number: int
    nodes: list[Node]

    @property
    def verdict(self) -> str:
        """The words in bold that stand first in a paragraph."""
        firsts = [node["children"][0] for node in self.nodes if node["type"] == "paragraph"]
        (found,) = [plain(first) for first in firsts if first["type"] == "strong"]
        return found.rstrip(".").lower()

    @property
    def faults(self) -> dict[int, Node]:
        """The numbered faults, S1 to S28, that it tells."""
        items = [node for node in inside(self.nodes) if node["type"] == "list_item"]
        return {int(plain(item["children"][0]["children"][0])[1:]): item for item in items}

    @property
    def quotes(self) -> list[str]:
        """What is quoted of the document: its words, and its examples."""
        return [
            plain(node) if node["type"] == "block_quote" else node["raw"]
            for node in self.nodes
            if node["type"] == "block_quote" or code_in(node) in EXAMPLES
        ]


def statements() -> list[Statement]:
    found: list[Statement] = []
    for node in tree(PAGE):
        if node["type"] == "heading":
            number = re.match(r"\d+ ", plain(node))
            if number:
                found.append(Statement(int(number[0]), []))
        elif found:
            found[-1].nodes.append(node)
    return found


ALL = statements()
EACH = pytest.mark.parametrize("statement", ALL, ids=lambda each: str(each.number))


def cells(nodes: list[Node]) -> int:
    """Count the links that name a cell of a notebook by its code."""
    named = [node for node in inside(nodes) if node["type"] == "link" and ".ipynb#" in node["attrs"]["url"]]
    return sum(any(each["type"] == "codespan" for each in node["children"]) for node in named)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_the_whole_document_is_quoted():
    """The quotes, one behind the other, are the document word for word, as it was when they were compared with it."""
    quotes = squeezed("".join(quote for statement in ALL for quote in statement.quotes))
    assert hashlib.sha256(quotes.encode()).hexdigest()[:16] == QUOTED


def test_statements_are_numbered():
    """Each statement has the next number, and quotes something."""
    assert [statement.number for statement in ALL] == list(range(1, 26))
    assert all(statement.quotes for statement in ALL)


def test_all_28_faults_are_told():
    """Each of S1 to S28 is told, once."""
    assert sorted(number for statement in ALL for number in statement.faults) == list(range(1, 29))


@EACH
def test_each_statement_has_a_verdict_and_a_cell(statement):
    """A statement is true, half true, false or does not work, and a cell of a notebook shows it."""
    assert statement.verdict.split(",")[0] in VERDICTS
    assert cells(statement.nodes)


@EACH
def test_each_fault_has_a_cell(statement):
    """Each fault names a cell of a notebook that shows it; code in the page does not stand in for one."""
    assert [f"S{number}" for number, item in statement.faults.items() if not cells([item])] == []


def test_the_table_agrees_with_the_sections():
    """Each row of the table leads to its section, and has the verdict and the faults that are told there."""
    rows = [node["children"] for node in inside(tree(PAGE)) if node["type"] == "table_row"]
    assert len(rows) == len(ALL)
    for (first, _, verdict, faults), statement in zip(rows, ALL, strict=True):
        (link,) = [node["attrs"]["url"] for node in first["children"]]
        assert link.startswith(f"#{statement.number}-")
        assert link[1:] in anchors(PAGE)
        assert plain(verdict) == statement.verdict.split(",")[0]
        assert set(statement.faults) <= set(listed(plain(faults)))


def listed(faults: str) -> list[int]:
    """Read a list such as `S1, S3 to S5`."""
    spans = re.findall(r"S(\d+)(?: to S(\d+))?", faults)
    return [number for first, last in spans for number in range(int(first), int(last or first) + 1)]


def example(language: str) -> str:
    (found,) = blocks(PAGE, language)
    return found


def bare(text: str) -> str:
    """Return an example without its comments and its layout, so that two printed forms of it compare."""
    lines = [line.strip() for line in text.splitlines()]
    return squeezed("".join(line for line in lines if not line.startswith(("#", "//", "curl_close", "?>"))))


@pytest.mark.parametrize(
    ("language", "notebook"),
    [
        ("sh", "02-curl"),
        ("php", "05-php"),
        ("nginx", "06-nginx"),
        ("apache", "07-apache"),
        ("mermaid", "01-one-upgrade"),
    ],
)
def test_the_notebooks_teach_the_documents_own_examples(language, notebook):
    """Each example is the one that its notebook works on."""
    cells_of = json.loads((ROOT / f"notebooks/{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any(bare(example(language)) in bare("".join(cell["source"])) for cell in cells_of)


def test_the_diagram_is_the_one_that_is_reviewed():
    """The diagram is the lab's, and four of the ten points hold."""
    assert example("mermaid") == SEED_DIAGRAM
    review = review_mermaid(SEED_DIAGRAM)
    assert [len(review.points), sum(point.holds for point in review.points)] == [10, 4]


@pytest.mark.parametrize(("site", "path"), [("nginx", "/ws/chat"), ("apache", "/chat")])
def test_the_proxies_examples_switch_once_completed(site, path):
    """Once completed, nginx and Apache let the upgrade through, and ask the server for different paths."""
    proxy = {"nginx": labkit.Nginx, "apache": labkit.Apache}[site](example(site))
    lab = labkit.Scenario(labkit.Offer.websocket("/ws/chat"), via=[proxy])
    assert labkit.dissect(labkit.simulate(lab)).status == 101
    assert labkit.xray(lab).passages[0].first[1].split()[1] == path


@pytest.mark.skipif(not find("curl"), reason="curl is not installed")
def test_the_curl_line_is_refused():
    """The line gets no 101, and the answer is not the one that the document expects."""
    line = example("sh").splitlines()[-1]
    ran = labkit.curl(line)
    assert ran.status == 400
    assert example("http").splitlines()[1] not in ran.screen


@pytest.mark.skipif(not find("php"), reason="PHP is not installed")
def test_the_php_script_fails():
    """The script says that it failed, against a server that would have switched."""
    ran = labkit.php(example("php"))
    assert ran.status == 400
    assert ran.printed == "Failed to upgrade protocol.\n"


@pytest.mark.skipif(not find("php"), reason="PHP is not installed")
def test_curl_close_closes_nothing():
    """A handle of PHP's that was closed asks again, and is answered (PHP 8 and later)."""
    asks = (
        "curl_setopt($ch, CURLOPT_RETURNTRANSFER, true); curl_exec($ch); curl_close($ch); echo strlen(curl_exec($ch));"
    )
    assert int(labkit.php(f"<?php $ch = curl_init('http://example.com/'); {asks}").printed) > 0

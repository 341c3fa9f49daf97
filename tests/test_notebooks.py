"""The law of the committed notebooks; that their outputs come out the same is nbval's part of `make test`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from copy import deepcopy
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import pytest

from labkit.lessons.execute import METADATA, execute, normalised
from labkit.lessons.exercises import exercises
from labkit.lessons.notebooks import cleared, notebooks_in, read, write

ROOT = Path(__file__).parents[1]
LESSONS = notebooks_in(ROOT / "notebooks")
MOST_CELLS, MOST_LINES, USUAL_LINES, LONG_LINES = 20, 15, 3, 10
TAUGHT = {"05.upgrades"}  # exercises that ask for lines that the same lesson shows in another place
PRIVATE = {
    "a port": r"(?:127\.0\.0\.1|localhost|\[::1\])(?::| port )\d+",
    "a path of the machine": r"(?<![\w.:/-])/(?:home|root|tmp|usr|var|opt|mnt|srv|work|Users|private)/\w",
    "a path of Windows": r"\b[A-Z]:\\\w",
    "a token": r"(?i)\btoken[= ][0-9a-z]{16,}",
    "a memory address": r"\bat 0x[0-9a-f]{6,}",
}

Notebook = Any


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Notebook:
    return read(request.param)


def code(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def lines(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def prose(notebook: Notebook) -> Iterator[str]:
    """Yield the markdown, without what stands in code fences."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield re.sub(r"^(```|~~~).*?^\1", "", cell.source, flags=re.MULTILINE | re.DOTALL)


def outputs(notebook: Notebook) -> Iterator[str]:
    """Yield every text of every output, and the text inside pictures."""
    for output in (output for cell in code(notebook) for output in cell.outputs):
        texts = [output.get("text", ""), *output.get("traceback", []), *output.get("data", {}).values()]
        for text in (text for text in texts if isinstance(text, str)):
            yield re.sub(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+", "", text)
            for picture in re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", text):
                yield base64.b64decode(picture).decode()


class Images(HTMLParser):
    """Collects the alt text of each <img>; None where there is none."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.alts: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.alts.append(dict(attrs).get("alt"))


def test_the_first_lessons_are_there():
    """The notebooks that the README and `make lab` promise are committed."""
    assert {"00-start-here", "01-one-upgrade"} <= {path.stem for path in LESSONS}


def test_run_from_top_to_bottom(notebook: Notebook):
    """Execution counts are exactly 1 to n: nbval would pass a cell that was never run."""
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_no_error_in_the_outputs(notebook: Notebook):
    """A cell ends in an error only where its tag says that it is meant to."""
    for cell in code(notebook):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert [output for output in cell.outputs if output.output_type == "error"] == [], cell.source


def test_headings_can_be_walked(notebook: Notebook):
    """The first line is the one H1, and no level is skipped, so that a screen reader's list is right."""
    levels = [len(marks) for text in prose(notebook) for marks in re.findall(r"^(#+) \S", text, re.MULTILINE)]
    assert notebook.cells[0].source.startswith("# ")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels)), levels


def test_every_cell_that_is_not_compared_says_why(notebook: Notebook):
    """A tag of nbval's has its reason in the cell's first line; nbval's comments are not used."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if any(tag.startswith("nbval-") for tag in tags):
            assert re.match(r"# not compared: \S", cell.source), cell.source
        if "raises-exception" in tags:
            assert re.match(r"# raises: \S", cell.source), cell.source
        assert not re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)", cell.source), cell.source


def test_small_cells(notebook: Notebook):
    """Cells are for calling, looking and asserting: few, short, and each with prose beside it."""
    sizes = sorted(lines(cell) for cell in code(notebook))
    assert len(sizes) <= MOST_CELLS
    assert median(sizes) <= USUAL_LINES
    assert sizes[int(0.9 * (len(sizes) - 1))] <= LONG_LINES
    assert sizes[-1] <= MOST_LINES
    assert len(notebook.cells) - len(sizes) >= len(sizes)
    assert sum(bool(re.search(r"^\s*(async )?def ", cell.source, re.MULTILINE)) for cell in code(notebook)) * 10 <= len(
        sizes
    )


def test_no_semicolon_silences_a_cell(notebook: Notebook):
    """A closing semicolon hides a value in Jupyter and not in nbval, so none is used."""
    assert [cell.source for cell in code(notebook) if cell.source.rstrip().endswith(";")] == []


def test_commands_have_a_time_limit(notebook: Notebook):
    """A curl that waits after the 101 would hang for ever, and nbval would call it passed."""
    for cell in code(notebook):
        for line in re.findall(r"^.*!\s*curl\b.*$", cell.source, re.MULTILINE):
            assert "--max-time" in line


def test_a_notebook_is_enough(notebook: Notebook):
    """No cell reads a file and no picture is one: what a lesson needs is in the package (`make test-binder` runs them alone)."""
    for cell in code(notebook):
        assert not re.search(
            r"\bopen\(|\bread_(text|bytes)\(|^%(run|load)\b|\bimport\w* pathlib|__file__", cell.source, re.MULTILINE
        ), cell.source
    for text in prose(notebook):
        assert not re.search(r"!\[[^\]]*\]\((?!data:|attachment:)|<img [^>]*src=\"(?!data:)", text)


def test_pictures_have_a_text(notebook: Notebook):
    """Every image, in prose and in outputs, says in words what it shows."""
    for text in [*prose(notebook), *outputs(notebook)]:
        assert all(alt and alt.strip() for alt in Images(text).alts)
        assert not re.search(r"!\[\s*\]\(", text)


@pytest.mark.parametrize("what", PRIVATE)
def test_outputs_tell_nothing_of_the_machine(notebook: Notebook, what: str):
    """No port, path, token or address escapes into an output, nor into a picture's inside."""
    for text in outputs(notebook):
        assert not re.search(PRIVATE[what], text), re.search(f".{{0,40}}{PRIVATE[what]}", text)


def test_metadata_is_normalised(notebook: Notebook):
    """No version, timing or editor's memory is committed; `make notebooks` takes them out."""
    before = deepcopy(notebook)
    assert notebook.metadata == METADATA
    assert normalised(notebook) == before
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_links_lead_somewhere(notebook: Notebook):
    """A link to another file leads to one that is there."""
    for text in prose(notebook):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (ROOT / "notebooks" / target).exists(), target


def test_begins_with_its_question_and_its_minutes(notebook: Notebook):
    """The title asks, and the next line says how long it takes and what a learner can do at the end."""
    title, rest = notebook.cells[0].source.split("\n", 1)
    assert title.endswith("?")
    assert re.match(r"\n\*\*\d+ minutes(, optional)?\.\*\* ", rest)
    assert "At the end you" in rest


def test_ends_with_key_points_and_a_way_on(notebook: Notebook):
    """The last cell has the key points, and links to the notebook before and to the next one."""
    last = notebook.cells[-1].source
    assert last.startswith("## Key points\n\n- ")
    names = [path.name for path in LESSONS]
    at = next(place for place, path in enumerate(LESSONS) if read(path) == notebook)
    beside = {"Before": names[at - 1] if at else "", "Next": names[at + 1] if at + 1 < len(names) else ""}
    for word, name in beside.items():
        found = re.search(rf"{word}: \[[^]]+\]\(([^)]+)\)", last.partition("\n---\n")[2])
        assert (found[1] if found else "") == name


def test_predictions_are_recorded_before_the_run(notebook: Notebook):
    """Each notebook begins with a prediction that is recorded, and later looks back at each of them."""
    sources = [cell.source for cell in code(notebook)]
    predicted = [(place, name) for place, text in enumerate(sources) for name in re.findall(r'predict\("(.+?)"', text)]
    looked = {name: place for place, text in enumerate(sources) for name in re.findall(r'look_back\("(.+?)"', text)}
    assert predicted
    assert predicted[0][0] < len(sources) / 2
    assert {name for _, name in predicted} == set(looked)
    assert all(place < looked[name] for place, name in predicted)
    for place, name in predicted:
        assert re.search(r'^prediction = .+  # your answer\npredict\("', sources[place], re.MULTILINE), name


def test_exercises_are_those_of_this_notebook():
    """Every exercise stands in one notebook, whose number it bears, and every notebook has one."""
    asked = {
        path: re.findall(r'exercise\("(.+?)"\)\.check', "\n".join(cell.source for cell in code(read(path))))
        for path in LESSONS
    }
    assert all(name.startswith(path.name[:3].replace("-", ".")) for path, names in asked.items() for name in names)
    assert all(asked.values())
    assert [name for names in asked.values() for name in names] == list(exercises())


def test_reference_answers_are_right(notebook: Notebook):
    """With the reference's answers every point holds; the diagram alone is left to the learner."""
    for cell in code(notebook):
        if ").check(" in cell.source and "01.diagram" not in cell.source:
            said = cell.outputs[-1]["data"]["text/plain"]
            assert "✗" not in said, said
            assert "✓" in said


def answers(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield each answer of the reference as it is written, with the exercise that asks for it."""
    for cell in code(notebook):
        asked = re.findall(r'exercise\("(.+?)"\)\.check', cell.source)
        for answer in re.findall(r"(?m)^ *(?:\w+ = |return )(.*?)  # your answer$", cell.source) if asked else []:
            yield asked[0], answer


def test_no_answer_stands_in_a_copy_or_a_hint(notebook: Notebook):
    """What answers an exercise is not in the learner's copy, nor in the exercise's own question and hints."""
    copy = "\n".join(cell.source for cell in cleared(deepcopy(notebook)).cells)
    for name, answer in answers(notebook):
        one = exercises()[name]
        # A word to be chosen stands among its choices; whatever has to be made up stands nowhere.
        if name in TAUGHT:
            continue
        short = re.fullmatch(r"\"[\w-]+\"|\d+|\[\d+(, \d+)*\]", answer)
        assert short or answer not in copy, answer
        assert not re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", " ".join((one.question, *one.hints))), answer


def test_every_exercise_has_its_answer_taken_out():
    """Each exercise has an answer in the reference that a learner's copy has not; but for the diagram, which is a start."""
    assert {name for path in LESSONS for name, _ in answers(read(path))} == set(exercises()) - {"01.diagram"}


def test_a_copy_that_nobody_worked_on_runs(notebook: Notebook, tmp_path: Path):
    """Run All of a fresh learner copy ends without an error, says where dots are left, and leaves nothing running."""
    copy = cleared(deepcopy(notebook))
    source = "from labkit.net.listener import running\nfrom labkit.net.process import _RUNNING\n[*running(), *_RUNNING]"
    copy.cells.append(nbformat.v4.new_code_cell(source))
    write(copy, tmp_path / "copy.ipynb")
    ran = execute(tmp_path / "copy.ipynb")
    assert ran.cells[-1].outputs[0]["data"]["text/plain"] == "[]"
    said = "\n".join(outputs(ran))
    assert "Ellipsis" not in said
    assert "No prediction yet: write yours" in said
    assert "write yours in place of the dots" in said or "still open" in said


def test_nbval_is_strict():
    """The one test command compares outputs, with a handful of patterns at the most."""
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"--nbval(?= ).*--nbval-cell-timeout=30 .*--nbval-sanitize-with tests/sanitize\.cfg", makefile)
    assert "--nbval-lax" not in makefile
    assert (ROOT / "tests/sanitize.cfg").read_text().count("regex:") <= 5


@pytest.mark.parametrize(
    ("what", "leak"),
    [
        ("a port", "http://127.0.0.1:41233/"), ("a port", "Failed to connect to localhost port 8888"),
        ("a path of the machine", 'File "/home/ada/lab.py"'), ("a path of Windows", r"C:\Users"),
        ("a token", "Authorization: token 0123456789abcdef01"), ("a memory address", "<X object at 0x7f00deadbeef>"),
    ],
)  # fmt: skip
def test_leaks_are_recognised(what: str, leak: str):
    """Each pattern finds what it is there for, and leaves a path on the server alone."""
    assert re.search(PRIVATE[what], leak)
    assert not re.search(PRIVATE[what], "GET /chat HTTP/1.1\nHost: server.example.com\nAuthorization: token ****")


def test_no_answer_is_left_in_a_copy(notebook: Notebook):
    """Whatever line holds an answer, a learner's copy has dots there."""
    for cell in code(cleared(deepcopy(notebook))):
        for line in re.findall(r"^.*# your answer.*$", cell.source, re.MULTILINE):
            assert re.fullmatch(r" *(\w+ = |return )\.\.\.  # your answer", line), line

import contextlib
import io
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import labkit
from labkit.cli import main
from tests.house import pages

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return pages.blocks(README, language)


def test_the_python_blocks_run_and_print_what_the_readme_shows(tmp_path, monkeypatch):
    """Every Python block runs; they print the diagram, the findings and curl's answer that stand below them."""
    monkeypatch.chdir(tmp_path)
    shown = next(block for block in blocks("text") if "Switched" in block)
    outputs = []
    for source in blocks("python"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(source, "README.md", "exec"), {})
        outputs.append(out.getvalue())
    assert len(outputs) == 8
    assert outputs[0].startswith(shown)
    assert outputs[1] == next(block for block in blocks("text") if block.startswith("Declined"))
    assert outputs[3].endswith(next(block for block in blocks("text") if "finding" in block))
    assert next(block for block in blocks("text") if "who      proxy, line 5" in block) in outputs[4]
    assert outputs[5].startswith(next(block for block in blocks("text") if "exit 0" in block))
    assert outputs[6].count('text "hello"') == 2


def typed():
    return [shlex.split(line[2:]) for block in blocks("console") for line in block.splitlines()]


def test_the_clinic_answers_as_the_readme_shows(capsys):
    """The message that the README asks about is answered with the five lines that stand below it."""
    why = next(words for words in typed() if words[1] == "why")
    assert main(why[1:]) == 0
    assert capsys.readouterr().out.startswith(next(block for block in blocks("text") if block.startswith("cause")))


def test_the_terminal_lines_run(tmp_path, monkeypatch):
    """Every line typed in the README's terminals does what it says, with exit code 0."""
    monkeypatch.chdir(tmp_path)
    serve, *others = [words for words in typed() if words[1] != "why"]
    assert len(others) == 5
    port = serve[-1]
    command = [sys.executable, "-m", "labkit", *serve[1:-1], "0"]  # any free port in place of the README's
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            free = server.stdout.readline().rpartition(":")[2].strip()
            for line in others:
                assert line[0] == serve[0] == ".venv/bin/labkit"
                assert main([word.replace(port, free) for word in line[1:]]) == 0, line
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    assert "<svg" in Path("exchange.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "dark"), [("exchange.svg", False), ("exchange-dark.svg", True)])
def test_the_picture_is_what_the_lab_draws(name, dark):
    """The picture at the top of the README is drawn from the exchange that it shows."""
    drawn = labkit.diagram(labkit.simulate(labkit.Scenario())).svg(dark=dark)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == drawn


def test_every_command_of_the_table_exists(capsys):
    """The commands in the table are commands of the program."""
    names = set(re.findall(r"`labkit (\w+)", README))
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert names <= set(re.findall(r"^    (\w+)", text, re.MULTILINE))

from __future__ import annotations

import pytest

from labkit.cases import reproduced
from labkit.cases.seen import Reproduced, Seen
from labkit.cli import main
from labkit.scenario import Scenario


def test_cases_are_listed(capsys):
    """`labkit cases` lists all of them."""
    assert main(["cases"]) == 0
    assert capsys.readouterr().out.count("\n") > 40


def test_cases_are_searched(capsys):
    """`labkit cases TEXT` brings what a message speaks of, words typed apart count as one text."""
    assert main(["cases", "every", "minute"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 case for 'every minute'")
    assert out.endswith("labkit cases idle-timeout tells the first in full\n")


def test_a_case_is_told_in_full(capsys):
    """`labkit cases NAME` tells a case in full."""
    assert main(["cases", "wrong-accept"]) == 0
    assert "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" in capsys.readouterr().out


def test_an_unknown_text_fails(capsys):
    """A text of which no case speaks is one line, and exit code 1."""
    assert main(["cases", "xyzzy"]) == 1
    assert capsys.readouterr().err == "labkit: no case speaks of 'xyzzy'; labkit cases lists all of them\n"


@pytest.mark.parametrize("command", ["simulate", "run"])
def test_a_case_is_shown_broken_and_fixed(capsys, command):
    """Both runs are drawn, the broken one first, with what the check finds in each."""
    assert main([command, "wrong-accept"]) == 0
    broken, fixed = capsys.readouterr().out.split("── fixed: ")
    assert broken.startswith("The Accept does not answer the key\n\n── broken: The key was decoded first")
    assert "✗ W31 MUST, server: the Accept is that of the key alone" in broken
    assert "the check finds no rule broken" in fixed
    assert "not as the catalogue says" not in broken + fixed
    assert all(len(line) <= 100 for line in (broken + fixed).splitlines())


def test_many_findings_are_cut_short(capsys):
    """Of many findings the first three are told, and how many more there are."""
    assert main(["simulate", "two-upgrade-handlers"]) == 0
    out = capsys.readouterr().out
    assert out.partition("── fixed")[0].count("\n✗ ") == 3
    assert "more findings" in out


def test_what_stands_in_is_told(capsys):
    """Where something stands in for what one exchange cannot have, it is said above the runs."""
    assert main(["simulate", "no-sticky-sessions"]) == 0
    assert "(the lab's server stands in for the second one" in " ".join(capsys.readouterr().out.split())


def test_a_run_that_is_not_as_described(capsys, monkeypatch):
    """Where a run is not as the catalogue says, the difference is told, and the exit code is 1."""
    other = Reproduced(Scenario, Scenario, Seen(403))
    monkeypatch.setattr(reproduced, "REPRODUCED", {"wrong-accept": other})
    assert main(["simulate", "wrong-accept"]) == 1
    assert "! not as the catalogue says: the answer is 101, not 403" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mixed-content", "labkit: mixed-content is not reproduced: no byte crosses"),
        ("idle-timeot", "labkit: no case is called 'idle-timeot'; did you mean 'idle-timeout'?"),
    ],
)
def test_what_cannot_be_shown(capsys, name, told):
    """A case that is not reproduced, and a name that is none, are one line and exit code 2."""
    assert main(["simulate", name]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(told)
    assert captured.err.count("\n") == 1
    assert captured.out == ""

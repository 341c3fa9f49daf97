from __future__ import annotations

import re
import shlex

import pytest

from labkit.cases.catalogue import PARTIES, Thread, failure, failures, shared, snippet
from labkit.cases.reproduced import REPRODUCED
from labkit.cli.options import parser
from labkit.errors import WrongUse
from labkit.rules import find

ALL = failures()
KEBAB = r"[a-z0-9]+(-[a-z0-9]+)*"


def test_forty_failures():
    """The catalogue has forty failures, numbered from the most frequent on, each with a name of its own."""
    assert [each.number for each in ALL] == list(range(1, 41))
    assert len({each.name for each in ALL}) == 40
    assert {each.party for each in ALL} == set(PARTIES)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_failure_is_whole(each):
    """Every failure says what the user sees, what crosses the wire, why, and what mends it, in sentences."""
    assert re.fullmatch(KEBAB, each.name)
    assert each.symptoms
    assert not each.title.endswith(".")
    assert all(text.endswith((".", ";")) for text in (each.wire, each.cause, each.fix))
    assert all(symptom.where and symptom.text for symptom in each.symptoms)
    assert all(find(rule).id == rule for rule in each.rules)
    assert re.search(r"RFC \d{4}, \d|Standard", each.clause)
    assert all(line.program and line.text for line in each.lines)
    assert str(each) == f"{each.name}: {each.title}"


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_failure_is_reproduced_or_says_why_not(each):
    """A failure is reproduced, or says why it is not; only one that is reproduced can have a stand-in."""
    assert (each.name in REPRODUCED) is not bool(each.unstaged)
    assert not (each.staged and each.unstaged)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_proof_is_a_command(each):
    """What proves a failure is a command of the lab's, or of curl's; where it is reproduced, its own run."""
    program, *words = shlex.split(each.prove)
    assert program in ("labkit", "curl")
    if program == "labkit":
        assert parser().parse_args(words).command
    if each.name in REPRODUCED:
        assert words == ["simulate", each.name]


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_threads(each):
    """A thread is named as owner/repository#number, once for each failure."""
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", thread.id) for thread in each.threads)
    assert len(set(each.threads)) == len(each.threads)


def test_the_address_of_a_thread():
    """The address of a thread is made of its name."""
    assert Thread("netty/netty#2179").url == "https://github.com/netty/netty/issues/2179"


def test_shared_messages():
    """A message that several failures share names failures that there are, each once."""
    names = {each.name for each in ALL}
    for each in shared():
        assert set(each.failures) <= names
        assert len(set(each.failures)) == len(each.failures)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("idle-timeot", "no case is called 'idle-timeot'; did you mean 'idle-timeout'? labkit.catalogue() lists them"),
        ("zzz", "no case is called 'zzz'; labkit.catalogue() lists them"),
        (5, "a case is named by a text, such as 'idle-timeout', not 5"),
    ],
)
def test_a_name_that_is_none(name, told):
    """A name that is not there is told in one line, with the nearest that is."""
    with pytest.raises(WrongUse, match=re.escape(told)):
        failure(name)


def test_snippets_end_without_empty_lines():
    """A snippet is text to paste: no empty line before it or behind it."""
    assert snippet("nginx-timeout").splitlines() == ["proxy_read_timeout 1h;", "proxy_send_timeout 1h;"]

"""Links to Binder: from every way of writing a repository to one address; anything else is told in one line."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from labkit.cli import main
from labkit.errors import WrongUse
from labkit.lessons.launching import binder_link

FIRST = "?urlpath=lab%2Ftree%2Fmy-lab%2F00-start-here.ipynb"


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        ("someone/labkit", "gh/someone/labkit/HEAD"),
        ("https://github.com/someone/labkit", "gh/someone/labkit/HEAD"),
        ("https://github.com/someone/labkit.git", "gh/someone/labkit/HEAD"),
        ("http://www.github.com/someone/labkit/", "gh/someone/labkit/HEAD"),
        ("github.com/someone/labkit", "gh/someone/labkit/HEAD"),
        ("git@github.com:someone/labkit.git", "gh/someone/labkit/HEAD"),
        ("ssh://git@github.com/someone/labkit.git", "gh/someone/labkit/HEAD"),
        ("https://github.com/someone/my.lab_2/tree/spring/2026", "gh/someone/my.lab_2/spring%2F2026"),
        ("https://gitlab.com/someone/labkit", "gl/someone%2Flabkit/HEAD"),
        ("https://gitlab.com/a/group/labkit.git", "gl/a%2Fgroup%2Flabkit/HEAD"),
        ("https://gitlab.com/a/group/labkit/-/tree/v1", "gl/a%2Fgroup%2Flabkit/v1"),
        ("git@gitlab.com:a/group/labkit.git", "gl/a%2Fgroup%2Flabkit/HEAD"),
    ],
)
def test_every_way_of_writing_a_repository(repository, place):
    """A name, a page, an address to clone from: each leads to the place that Binder knows it by."""
    assert binder_link(repository).url == f"https://mybinder.org/v2/{place}{FIRST}"


def test_a_tag_that_is_told_wins():
    """The tag given is taken before the one in the address."""
    assert "/someone/labkit/v2?" in binder_link("https://github.com/someone/labkit/tree/v1", "v2").url


def test_the_notebook_is_opened_as_a_learners_copy():
    """After Binder has read the link, JupyterLab opens the copy in my-lab/."""
    url = binder_link("a/b", notebook="02-curl.ipynb").url
    assert parse_qs(urlsplit(url).query) == {"urlpath": ["lab/tree/my-lab/02-curl.ipynb"]}


@pytest.mark.parametrize(
    "repository",
    ["", "labkit", "a/b/c", "https://example.com/a/b", "https://github.com/a", "a b/c", "a/b?x", "a/b\nc/d", "x/" * 400, "/a/b", "//",
     "../..", "./.", "a/..", "ſ/K"],
)  # fmt: skip
def test_what_is_no_repository(repository):
    """Anything else is named, with what to write instead."""
    with pytest.raises(WrongUse, match=r"is no repository that Binder can be sent to: write OWNER/NAME"):
        binder_link(repository)


def test_a_password_in_an_address_is_not_repeated():
    """What is refused is named without the password that stood in it."""
    with pytest.raises(WrongUse, match="github") as caught:
        binder_link("https://me:hunter2@github.com/a/b")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("tag", ["a b", "a~1", "x:y", "\x00", "t" * 300, "\udcff"])
def test_what_is_no_tag(tag):
    """A name that git would not allow is told before Binder fails on it."""
    with pytest.raises(WrongUse, match="is no name of a tag"):
        binder_link("a/b", tag)


def test_the_command_prints_link_and_badge(capsys):
    """`labkit binder-link` prints both, for the notebook of a number."""
    assert main(["binder-link", "someone/labkit", "--tag", "v1", "--notebook", "2"]) == 0
    link, badge = capsys.readouterr().out.splitlines()
    url = "https://mybinder.org/v2/gh/someone/labkit/v1?urlpath=lab%2Ftree%2Fmy-lab%2F02-curl.ipynb"
    assert link.split() == ["link", url]
    assert badge == f"badge  [![Launch on Binder](https://mybinder.org/badge_logo.svg)]({url})"


@pytest.mark.parametrize(
    ("words", "said"), [(["nowhere"], "'nowhere' is no repository"), (["a/b", "--notebook", "99"], "no notebook '99'; there are 00-")]
)  # fmt: skip
def test_the_command_says_what_is_wrong(capsys, words, said):
    """A wrong word is one line on standard error, and exit code 2."""
    assert main(["binder-link", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"labkit: {said}")
    assert told.err.count("\n") == 1

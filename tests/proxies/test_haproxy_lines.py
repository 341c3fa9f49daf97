"""The words of HAProxy's lines, as HAProxy reads them; test_hostile.py asks HAProxy itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.proxies.haproxy import Haproxy
from labkit.proxies.haproxy_lines import joined, lines


def words(text: str) -> list[str]:
    return [word for line in lines(text) for word in line.words]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"lua\x2dload /x", ["lua-load", "/x"]),
        (r"path_reg ^/a\.b\d", ["path_reg", r"^/a\.b\d"]),
        (r"a\ b \# c#d", ["a b", "#", "c"]),
        (r""" 'a b'\''$X' \"q\" "\$X" """, ["a b'$X", '"q"', "$X"]),
        (r'"a${N-x y}b" "$N" "${N[*]}" $N', ["ax yb", "", "", "$N"]),
    ],
)
def test_words_are_those_of_haproxy(text: str, read: list[str]):
    """Escapes, both kinds of quotes and comments mean what they mean to HAProxy; no environment is asked."""
    assert words(text) == read


def test_a_variable_is_told():
    """What the environment would say is said to be empty."""
    notes = Haproxy('server one "$HOST:80"').notes
    assert [(note.line, note.what) for note in notes if note.what == "$HOST"] == [(1, "$HOST")]


@pytest.mark.parametrize("text", [r"a \x2", "a 'b", r"a\x00b"])
def test_what_haproxy_would_not_read_is_told(text: str):
    """An escape that is none, a quote that stays open, and a NUL are errors that name the line."""
    with pytest.raises(WrongUse, match="line 1: "):
        words(text)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))))
def test_what_is_written_is_read_as_it_was(given_words: list[str]):
    """Any words come back from the line that is written of them."""
    assert words(joined(given_words)) == given_words

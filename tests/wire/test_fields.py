from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.fields import Fields, elements, text_bytes

FIELDS = Fields.of([("Connection", "keep-alive"), ("Host", "a"), ("connection", " , Upgrade,")])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("a", ["a"]),
        ("a ,\tb", ["a", "b"]),
        ('a;x="1,2", b', ['a;x="1,2"', "b"]),
        (r'a;x="\",", b', [r'a;x="\","', "b"]),
        (r'a;x="\\", b', [r'a;x="\\"', "b"]),
        ('"open, b', ['"open, b']),
        ('"", b', ['""', "b"]),
    ],
)
def test_elements(value, expected):
    """A list splits at commas outside quoted strings, and empty elements do not count (RFC 9110, 5.6.1.2)."""
    assert elements(value) == expected


@given(st.text(alphabet=', \t";\\ab'))
def test_elements_written_as_a_list_are_the_same_elements(value):
    """Splitting is stable: the elements, joined by commas, split into themselves; none is empty or has space around it."""
    found = elements(value)
    assert elements(", ".join(found)) == found
    assert all(part.strip(" \t") == part != "" for part in found)


def test_names_ignore_case():
    """Field names are the same in any case (RFC 9110, 5.1)."""
    assert FIELDS.all("CONNECTION") == ["keep-alive", " , Upgrade,"]
    assert "hOST" in FIELDS
    assert "Upgrade" not in FIELDS
    assert 1 not in FIELDS


def test_lines_of_one_name_are_one_list():
    """Lines of one name are joined by commas, in order (RFC 9110, 5.3)."""
    assert FIELDS.get("Connection") == "keep-alive,  , Upgrade,"
    assert FIELDS.elements("Connection") == ["keep-alive", "Upgrade"]
    assert FIELDS.get("Upgrade") is None
    assert FIELDS.elements("Upgrade") == []


def test_changes_make_new_fields():
    """Fields do not change: each change is a copy, with the other lines in their places."""
    assert FIELDS.without("connection").lines == (("Host", "a"),)
    assert FIELDS.with_line("X", "1").lines[-1] == ("X", "1")
    assert FIELDS.replaced("connection", "close").lines == (("connection", "close"), ("Host", "a"))
    assert FIELDS.replaced("X", "1").lines == (*FIELDS.lines, ("X", "1"))
    assert (len(FIELDS), list(FIELDS)[1]) == (3, ("Host", "a"))


def test_bytes_of_fields():
    """A line is name, colon, one space, value, CR LF (RFC 9112, 5); text is one byte per character."""
    assert Fields.of([("X", "é")]).to_bytes() == b"X: \xe9\r\n"
    assert text_bytes("".join(map(chr, range(256)))) == bytes(range(256))


def test_character_that_is_no_byte():
    """What no single byte stands for is refused by name, not by a traceback of the codec."""
    with pytest.raises(WireError, match="'€' in 'a: 5 €"):
        Fields.of([("a", "5 €")]).to_bytes()

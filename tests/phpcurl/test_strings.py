import pytest

from labkit.errors import WrongUse
from labkit.phpcurl.strings import php_bytes, php_int, php_text, php_type, strpos


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("ü", b"\xc3\xbc"),
        (b"\xff", b"\xff"),
        (None, b""),
        (True, b"1"),
        (False, b""),
        (-13, b"-13"),
        (1.5, b"1.5"),
        (2.0, b"2"),
        (0.1, b"0.1"),
        (1 / 3, b"0.33333333333333"),
        (0.00001, b"1.0E-5"),
        (1.5e300, b"1.5E+300"),
        (1e25, b"1.0E+25"),
        (float("-inf"), b"-INF"),
        (float("nan"), b"NAN"),
    ],
)
def test_a_string_as_php_makes_it(value, data):
    """Texts are UTF-8, bytes are bytes, and the rest is what PHP's casts make of it (php.net, Strings)."""
    assert php_bytes(value) == data


@pytest.mark.parametrize("value", [[], {}, object(), "\ud800"])
def test_no_string(value):
    """What PHP would warn of, or could not write, is told in a sentence."""
    with pytest.raises(WrongUse):
        php_bytes(value)


def test_no_byte_is_lost():
    """Every byte comes out as one character, and goes in again by its bytes."""
    every = bytes(range(256))
    assert len(php_text(every)) == 256
    assert php_text(every).encode("latin-1") == every


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, 0), (True, 1), (False, 0), (7, 7), (2.9, 2), (float("inf"), 0), (float("nan"), 0), ("12 apples", 12),
        ("  -3", -3), ("+4", 4), ("abc", 0), ("", 0), ("-", 0), (b"5", 5), ([], 0), (["x"], 1),
        ("²", 0), ("9" * 5000, int("9" * 30)),
    ],
)  # fmt: skip
def test_a_number_as_php_makes_it(value, number):
    """Null is 0, and so is a text without digits; a text counts as far as it is a number (php.net, Integers)."""
    assert php_int(value) == number


def test_names_of_types():
    """Messages call the types what PHP calls them."""
    assert [php_type(each) for each in ("", b"", True, 1, 1.0, [], (), {}, None)] == [
        "string", "string", "bool", "int", "float", "array", "array", "array", "null",
    ]  # fmt: skip
    assert php_type(object()) == "object"


def test_strpos():
    """It finds as PHP's does: at 0 is not False, and False and None are empty."""
    assert strpos("HTTP/1.1 101", "HTTP") == 0
    assert strpos("HTTP/1.1 101", "HTTP") is not False
    assert strpos("HTTP/1.1 400", "101") is False
    assert strpos(False, "101") is False
    assert strpos(None, "101") is False
    assert strpos(True, "1") == 0

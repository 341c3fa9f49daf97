r"""PHP's strings and numbers in Python's: what goes in is UTF-8, what comes out is one character for each byte.

A PHP string is bytes. What a script writes is UTF-8, as the text of a PHP script is; bytes are taken as they are.
What comes back may be anything, frames too, so it is a `str` in which each character stands for one byte (latin-1):
no byte is lost, `len(data)` is what `strlen($data)` is, and a head can be looked through as in PHP. Its bytes are
`data.encode("latin-1")`; a text that was UTF-8 is `data.encode("latin-1").decode()`.
"""

from __future__ import annotations

from labkit.errors import WrongUse

__all__ = ["c_int", "php_bytes", "php_int", "php_text", "php_type", "strpos"]

_BITS = 63  # and a sign
_TYPES = {str: "string", bytes: "string", bool: "bool", int: "int", float: "float", list: "array", tuple: "array",
          dict: "array", type(None): "null"}  # fmt: skip


def php_type(value: object) -> str:
    """Return what PHP calls the type of a value, as its messages have it."""
    return _TYPES.get(type(value), type(value).__name__)


def php_bytes(value: object) -> bytes:
    r"""Return a value as PHP makes a string of it (php.net, Strings, converting to string).

    Raises:
        WrongUse: there is no string for it, such as a list, for which PHP says "Array".

    >>> php_bytes("ü"), php_bytes(True), php_bytes(None), php_bytes(0.1)
    (b'\xc3\xbc', b'1', b'', b'0.1')
    """
    match value:
        case bytes():
            return value
        case str():
            try:
                return value.encode()
            except UnicodeEncodeError as error:
                raise WrongUse(f"{value[error.start]!r} in {value!r:.60} cannot be written in UTF-8") from None
        case None | False:
            return b""
        case True:
            return b"1"
        case int() | float():
            if isinstance(value, int) and value.bit_length() > _BITS:
                raise WrongUse(f"a whole number of PHP's has {_BITS + 1} bits, and this one has {value.bit_length()}")
            return _fraction(value).encode() if isinstance(value, float) else b"%d" % value
    raise WrongUse(f"no string can be made of this {php_type(value)}: {value!r:.60}")


def _fraction(value: float) -> str:
    """Return a fraction in the 14 digits that PHP writes (php.ini, precision): 0.1, 1.0E+25, INF."""
    digits, power, exponent = f"{value:.14G}".partition("E")
    if not power:
        return digits
    return f"{digits}{'' if '.' in digits else '.0'}E{int(exponent):+d}"


def php_int(value: object) -> int:
    """Return a value as PHP makes a whole number of it: null is 0, and so is a text without digits.

    Of a text only the digits at its beginning count: "1e3", which is 1000 to PHP, is 1 here.

    >>> php_int(None), php_int(True), php_int("12 apples"), php_int("apples")
    (0, 1, 12, 0)
    """
    if isinstance(value, (bool, int, float)):
        try:
            return int(value)
        except (OverflowError, ValueError):  # infinite, or no number
            return 0
    if isinstance(value, (str, bytes)):
        text = php_text(php_bytes(value)).lstrip(" \t\n\r\v\f")
        sign = text[:1] if text[:1] in ("+", "-") else ""
        digits = text[len(sign) :]
        end = next((n for n, char in enumerate(digits) if char not in "0123456789"), len(digits))
        return int(f"{sign}{digits[:end][:30]}") if end else 0
    return int(bool(value))


def c_int(value: object) -> int:
    """Return a value as a whole number that a C function of libcurl takes.

    Raises:
        WrongUse: it has more than 32 bits.
    """
    number = php_int(value)
    if not -1 << 31 <= number < 1 << 31:
        raise WrongUse(f"{number} is too large here: a number of 32 bits is meant")
    return number


def php_text(data: bytes) -> str:
    r"""Return bytes as a text with one character for each of them.

    >>> php_text(b"\x81\x05Hello")
    '\x81\x05Hello'
    """
    return data.decode("latin-1")


def strpos(haystack: str | bool | None, needle: str) -> int | bool:  # noqa: FBT001  what curl_exec returns
    """Return where a text begins in another, or False; a haystack that is False or None is empty, as in PHP.

    It is here because the well-known script asks `strpos($response, "HTTP/1.1 101 Switching Protocols")`, and what
    `curl_exec` returned may be False, in which Python's `in` cannot look.

    Args:
        haystack: where to look, such as what `curl_exec` returned.
        needle: what to look for.

    >>> strpos("HTTP/1.1 101", "101"), strpos(False, "101")
    (9, False)
    """
    text = haystack if isinstance(haystack, str) else php_text(php_bytes(haystack))
    found = text.find(php_text(php_bytes(needle)))
    return False if found < 0 else found

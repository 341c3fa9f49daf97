"""Values as literals of a programming language: plain ASCII, whatever is in them."""

from __future__ import annotations

import json

__all__ = ["javascript", "php", "python"]


def python(value: object) -> str:
    r"""Return a text, bytes, or a list or tuple of them, as Python writes it; in double quotes where it can.

    >>> print(python("Hello"), python(b"\xe9"), python('say "é"'))
    "Hello" b"\xe9" 'say "\xe9"'
    """
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(python, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    text = ascii(value)
    start = text.find("'")
    inside = text[start + 1 : -1]
    plain = isinstance(value, (str, bytes)) and text.endswith("'") and not set(inside) & {'"', "'"}
    return f'{text[:start]}"{inside}"' if plain else text


def php(data: bytes) -> str:
    r"""Return bytes as a string of PHP.

    >>> print(php(b"it's $5"), php(b"\xe9$\n"))
    'it\'s $5' "\xe9\$\x0a"
    """
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return '"' + "".join(map(_in_quotes, text)) + '"'


def _in_quotes(char: str) -> str:
    if char in '"\\$':
        return f"\\{char}"
    return char if " " <= char <= "~" else f"\\x{ord(char):02x}"


def javascript(message: str | bytes) -> str:
    r"""Return a text as a string of JavaScript, bytes as an array; both can stand in a page, `</script>` or not.

    >>> print(javascript("</script>é"), javascript(b"\x00\xff"))
    "\u003c/script\u003e\u00e9" new Uint8Array([0, 255])
    """
    if isinstance(message, bytes):
        return f"new Uint8Array({list(message)})"
    return json.dumps(message).replace("<", "\\u003c").replace(">", "\\u003e")

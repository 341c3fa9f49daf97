"""RequestHeader and Header: what mod_headers does to field lines, in its simple forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.directive import Directive

__all__ = ["ALWAYS", "SIMPLE", "apply", "parts_of", "value_of"]

SIMPLE = ("set", "unset", "append", "add", "merge", "setifempty")
"""The actions that the model knows; `edit`, `edit*`, `echo` and `note` it does not."""

ALWAYS = ("always", "onsuccess")

_EXPRESSIONS = {"expr=%{REQUEST_SCHEME}": "http", "expr=%{SERVER_PROTOCOL}": "HTTP/1.1"}
_FORMATS = {"%%": "%", "%{REMOTE_ADDR}s": "(null)", "%{HTTPS}s": "(null)", "%{SSL_CLIENT_S_DN}s": "(null)"}
"""What has one value in the lab. `%{…}s` asks mod_ssl, which is not loaded: (null), as measured."""


def parts_of(directive: Directive) -> tuple[str, str, str, str, bool]:
    """Return the parts of a directive: action, name, value, what is left, and whether it is of all answers.

    >>> parts_of(Directive("Header", ("always", "set", "X-Lab", "1")))
    ('set', 'X-Lab', '1', '', True)
    """
    args = list(directive.args)
    always = bool(args) and args[0].lower() == "always"
    if args and args[0].lower() in ALWAYS:
        args = args[1:]
    action, name, *rest = [*args, "", ""]
    takes = 0 if action.lower() == "unset" else 1
    value = rest[0] if takes else ""
    left = " ".join(word for word in rest[takes:] if word)
    return action.lower(), name.removesuffix(":"), value, left, always


def value_of(text: str) -> str | None:
    """Return a value with its formats filled in; None where one is not known.

    >>> value_of("https"), value_of("100%%"), value_of("%{UNIQUE_ID}e")
    ('https', '100%', None)
    """
    if text.startswith("expr="):
        return _EXPRESSIONS.get(text)
    for written, value in _FORMATS.items():
        text = text.replace(written, value.replace("%", "\0"))
    return None if "%" in text else text.replace("\0", "%")


def apply(ledger: Ledger, directives: Iterable[Directive]) -> None:
    """Change field lines as these directives say."""
    for each in directives:
        action, name, text, _, _ = parts_of(each)
        _ACTIONS[action](ledger, name, value_of(text) or "", each)


def _set(ledger: Ledger, name: str, value: str, directive: Directive) -> None:
    if name.lower() == "content-type" and directive.name.lower() == "header":
        ledger.unset(name, str(directive), directive)
    ledger.set(name, value, str(directive), directive)


def _unset(ledger: Ledger, name: str, _: str, directive: Directive) -> None:
    ledger.unset(name, str(directive), directive)


def _add(ledger: Ledger, name: str, value: str, directive: Directive) -> None:
    ledger.add(name, value, str(directive), directive)


def _append(ledger: Ledger, name: str, value: str, directive: Directive) -> None:
    ledger.merge(name, value, str(directive), directive)


def _merge(ledger: Ledger, name: str, value: str, directive: Directive) -> None:
    there = ledger.get(name)
    if there is None or value not in [each.strip() for each in there.split(",")]:
        ledger.merge(name, value, str(directive), directive)


def _if_empty(ledger: Ledger, name: str, value: str, directive: Directive) -> None:
    if ledger.get(name) is None:
        ledger.add(name, value, str(directive), directive)


_ACTIONS: dict[str, Callable[[Ledger, str, str, Directive], None]] = {
    "set": _set, "unset": _unset, "append": _append, "add": _add, "merge": _merge, "setifempty": _if_empty,
}  # fmt: skip

"""mod_rewrite in a server or virtual host: RewriteCond, and RewriteRule with [P], [R], [F], [G] and [PT]."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from labkit.errors import Unmodelled
from labkit.proxies.apache.patterns import compiled
from labkit.proxies.apache.reading import Line
from labkit.proxies.apache.settings import Settings
from labkit.proxies.apache.targets import Target
from labkit.proxies.apache.upstreams import flags
from labkit.proxies.directive import Directive, unmodelled
from labkit.wire.http1 import RequestHead

__all__ = ["Rewritten", "Rules", "rules_of"]

_FLAGS = frozenset(("p", "proxy", "l", "last", "nc", "nocase", "r", "redirect", "f", "forbidden", "g", "gone", "qsa",
                    "qsappend", "pt", "passthrough", "end", "ne", "noescape"))  # fmt: skip
_ENDS = frozenset(("p", "proxy", "l", "last", "end", "r", "redirect", "f", "forbidden", "g", "gone"))
_MANY = re.compile(r"[$]([0-9])|%([0-9])|%\{([^}]*)\}|\\(.)", re.DOTALL)
_STATUSES = {"permanent": 301, "temp": 302, "seeother": 303, "": 302}
_STATUS = re.compile("30[12378]")


class Rewritten(NamedTuple):
    """What a rule made of a request.

    Args:
        kind: "proxy", "redirect", "forbidden", "gone" or "path".
        text: the URL or the path.
        query: what it now is.
        status: of a redirect.
        directive: the rule.
        raw: whether the URL is sent as it is, [NE].
    """

    kind: str
    text: str
    query: str | None
    status: int
    directive: Directive
    raw: bool = False


class _Condition(NamedTuple):
    text: str
    test: Callable[[str], re.Match[str] | bool | None]
    negated: bool
    alternative: bool


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    negated: bool
    substitution: str
    flags: dict[str, str]
    conditions: tuple[_Condition, ...]
    directive: Directive


@dataclass(frozen=True)
class Rules:
    """The rules of a virtual host, in order."""

    rules: tuple[_Rule, ...]

    def apply(self, head: RequestHead, target: Target, named: str) -> Rewritten | None:
        """Return what they make of a request; None where none of them fits."""
        path, query, done = target.path, target.query, None
        for rule in self.rules:
            found = rule.pattern.search(path)
            if bool(found) is rule.negated:
                continue
            filled = _Filled(head, path, query, named, found)
            if not _hold(rule.conditions, filled):
                continue
            made = _made(rule, filled, path, query)
            if made is not None:
                done, path, query = made, made.text, made.query
            if _ENDS & set(rule.flags) or (made and made.kind != "path"):
                break
        return done


@dataclass
class _Filled:
    """What variables and references stand for."""

    head: RequestHead
    path: str
    query: str | None
    named: str
    match: re.Match[str] | None
    condition: re.Match[str] | None = None

    def fill(self, text: str) -> str:
        return _MANY.sub(self._one, text)

    def _one(self, found: re.Match[str]) -> str:
        if found[4] is not None:
            return found[4]
        if found[3] is not None:
            return self._variable(found[3])
        match, number = (self.match, int(found[1])) if found[1] else (self.condition, int(found[2]))
        return (match[number] or "") if match and number <= match.re.groups else ""

    def _variable(self, name: str) -> str:
        if name.upper().startswith("HTTP:"):
            return self.head.fields.get(name[5:]) or ""
        return _VARIABLES[name.upper()](self)


_VARIABLES: dict[str, Callable[[_Filled], str]] = {
    "REQUEST_URI": lambda filled: filled.path,
    "REQUEST_METHOD": lambda filled: filled.head.method,
    "QUERY_STRING": lambda filled: filled.query or "",
    "HTTP_HOST": lambda filled: filled.head.fields.get("Host") or "",
    "SERVER_NAME": lambda filled: filled.named,
    "HTTP_COOKIE": lambda filled: filled.head.fields.get("Cookie") or "",
    "HTTP_USER_AGENT": lambda filled: filled.head.fields.get("User-Agent") or "",
    "HTTP_REFERER": lambda filled: filled.head.fields.get("Referer") or "",
    "HTTP_ACCEPT": lambda filled: filled.head.fields.get("Accept") or "",
    "HTTPS": lambda _: "off",
    "REQUEST_SCHEME": lambda _: "http",
    "REMOTE_ADDR": lambda _: "127.0.0.1",
    "THE_REQUEST": lambda filled: filled.head.start_line,
}
"""The variables that the model knows; `%{HTTP:Name}` is any field."""


def _hold(conditions: tuple[_Condition, ...], filled: _Filled) -> bool:
    """Tell whether all conditions hold; one with [OR] need not, if the next one does."""
    skipping = False
    for each in conditions:
        if skipping:
            skipping = each.alternative
            continue
        found = each.test(filled.fill(each.text))
        if bool(found) is not each.negated:
            if isinstance(found, re.Match):
                filled.condition = found
            skipping = each.alternative
        elif not each.alternative:
            return False
    return True


def _made(rule: _Rule, filled: _Filled, path: str, query: str | None) -> Rewritten | None:
    told = rule.flags
    unsafe = rule.substitution != "-" and "?" in path  # AH10508: it came as %3f
    if {"f", "forbidden"} & set(told) or unsafe:
        return Rewritten("forbidden", path, query, 403, rule.directive)
    if {"g", "gone"} & set(told):
        return Rewritten("gone", path, query, 410, rule.directive)
    if rule.substitution == "-":
        return None
    text, asked, new = filled.fill(rule.substitution).partition("?")
    if asked:
        query = f"{new}&{query}" if query and {"qsa", "qsappend"} & set(told) else new or None
    raw = bool({"ne", "noescape"} & set(told))
    if {"p", "proxy"} & set(told):
        return Rewritten("proxy", text, query, 0, rule.directive, raw)
    if {"r", "redirect"} & set(told) or re.match("(http|ws)s?://", text):
        word = told.get("r", told.get("redirect", "")).lower()
        return Rewritten("redirect", text, query, _STATUSES.get(word) or int(word), rule.directive, raw)
    return Rewritten("path", text, query, 0, rule.directive)


def rules_of(settings: Settings, directives: tuple[Directive, ...]) -> Rules:
    """Return the rules among the directives of a server; none where RewriteEngine is not On.

    Raises:
        Unmodelled: a rule or condition has what the model does not know.
    """
    if not settings.on("RewriteEngine", default=False):
        return Rules(())
    return Rules(tuple(_rules(directives)))


def _rules(directives: tuple[Directive, ...]) -> Iterator[_Rule]:
    waiting: list[_Condition] = []
    for each in directives:
        if each.name.lower() == "rewritecond":
            waiting.append(_condition(each))
        elif each.name.lower() == "rewriterule":
            yield _rule(each, tuple(waiting))
            waiting.clear()


def _rule(directive: Directive, conditions: tuple[_Condition, ...]) -> _Rule:
    pattern, substitution, *_ = [*directive.args, "", ""]
    told = flags(_as_line(directive))
    word = told.get("r", told.get("redirect", ""))
    if unknown := sorted(set(told) - _FLAGS) or ([word] if word and not _known(word) else []):
        raise _unknown(directive, f"the flag {unknown[0]}")
    _check_text(directive, substitution)
    kinds = {"p", "proxy", "r", "redirect", "f", "forbidden", "g", "gone", "pt", "passthrough"}
    if substitution != "-" and not kinds & set(told) and "://" not in substitution:
        raise _unknown(directive, "a path that is a file's: without [P], [R] or [PT] no ProxyPass sees it")
    case = not {"nc", "nocase"} & set(told)
    negated = pattern.startswith("!")
    return _Rule(
        compiled(pattern.removeprefix("!"), directive, case=case), negated, substitution, told, conditions, directive
    )


def _known(word: str) -> bool:
    return word.lower() in _STATUSES or bool(_STATUS.fullmatch(word))


def _as_line(directive: Directive) -> Line:
    return Line("RewriteRule", " ".join(f'"{word}"' for word in directive.args))


def _condition(directive: Directive) -> _Condition:
    text, pattern, *rest = [*directive.args, "", ""]
    told = {word.strip().lower() for each in rest for word in each.strip("[]").split(",") if word.strip()}
    if unknown := sorted(told - {"nc", "nocase", "or", "ornext"}):
        raise _unknown(directive, f"the flag {unknown[0]}")
    _check_text(directive, text)
    case = not told & {"nc", "nocase"}
    negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
    return _Condition(text, _test(directive, pattern, case=case), negated, bool(told & {"or", "ornext"}))


def _test(directive: Directive, pattern: str, *, case: bool) -> Callable[[str], re.Match[str] | bool | None]:
    if directive.args[0].lower() == "expr":
        raise _unknown(directive, "an expression")
    if pattern.startswith("="):
        wanted = pattern[1:].removeprefix('"').removesuffix('"')
        if case:
            return lambda value: value == wanted
        return lambda value: value.lower() == wanted.lower()
    if pattern[:1] in ("<", ">") or re.fullmatch("-[A-Za-z]{1,2}", pattern):
        raise _unknown(directive, f"the test {pattern}")
    return compiled(pattern, directive, case=case).search


def _check_text(directive: Directive, text: str) -> None:
    for found in _MANY.finditer(text):
        name = found[3]
        if name is not None and not name.upper().startswith("HTTP:") and name.upper() not in _VARIABLES:
            raise _unknown(directive, f"the variable %{{{name}}}")
    if "${" in text:
        raise _unknown(directive, "a map")


def _unknown(directive: Directive, what: str) -> Unmodelled:
    return unmodelled(directive, f"the model of Apache does not know {what}")

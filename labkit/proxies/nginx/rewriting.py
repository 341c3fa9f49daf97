"""What `set`, `if`, `rewrite`, `return` and `break` do, one after the other (ngx_http_rewrite_module)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from labkit.proxies.directive import Directive, unmodelled
from labkit.proxies.nginx.levels import Level, caught, pattern
from labkit.proxies.nginx.targets import escape
from labkit.proxies.nginx.trip import Trip
from labkit.proxies.nginx.variables import Variables

__all__ = ["Given", "Step", "compile_steps", "run_steps"]

_FLAGS = {"last": 0, "break": 0, "redirect": 302, "permanent": 301}
_RELATION = re.compile(r"=|!=|!?~\*?")
_ABSOLUTE = ("http://", "https://", "$scheme")


class Given(NamedTuple):
    """An answer that these directives give.

    Args:
        status: its status; 444 is nginx's own for a close without an answer.
        text: its content, or its Location.
        by: the directive.
    """

    status: int
    text: str | None
    by: Directive


class Step(NamedTuple):
    """One directive, made ready.

    Args:
        directive: as it is written.
        regex: the pattern of a rewrite or of a condition; None where it has none.
        level: of an `if`: what holds inside it.
        steps: of an `if`: what is done inside it.
    """

    directive: Directive
    regex: re.Pattern[str] | None = None
    level: Level | None = None
    steps: tuple[Step, ...] = ()


def compile_steps(level: Level, variables: Variables) -> tuple[Step, ...]:
    """Make ready what stands in a level.

    Raises:
        Unmodelled: it says what the model does not know; the line is named.
    """
    return tuple(_step(each, level, variables) for each in level.own("set", "if", "rewrite", "return", "break"))


def _step(each: Directive, level: Level, variables: Variables) -> Step:
    if each.name == "if":
        inside = Level(each, level)
        return Step(each, _condition(each, variables), inside, compile_steps(inside, variables))
    if each.name in ("return", "rewrite"):
        variables.check(each.args[each.name == "rewrite" :], each)
    if each.name == "rewrite":
        if len(each.args) < 2 or (len(each.args) > 2 and each.args[2] not in _FLAGS):
            raise unmodelled(each, "the model does not know this form")
        return Step(each, pattern(each.args[0], each))
    return Step(each)


def _condition(each: Directive, variables: Variables) -> re.Pattern[str] | None:
    args = each.args
    if not args or args[0].startswith(("-", "!-")):
        raise unmodelled(each, f"({' '.join(args)}) asks for a file, and the lab has none of them")
    variables.check(args[:1], each)
    if len(args) == 1:
        return None
    if len(args) != 3 or not _RELATION.fullmatch(args[1]):
        raise unmodelled(each, f"the model does not know the condition ({' '.join(args)})")
    if "~" in args[1]:
        return pattern(args[2], each, caseless=args[1].endswith("*"))
    variables.check(args[2:], each)
    return None


@dataclass(slots=True)
class _Run:
    trip: Trip
    variables: Variables
    stopped: bool = False
    changed: bool = False

    def all(self, steps: tuple[Step, ...]) -> Given | None:
        for step in steps:
            given = self.one(step)
            if given or self.stopped:
                return given
        return None

    def one(self, step: Step) -> Given | None:
        args, trip = step.directive.args, self.trip
        match step.directive.name:
            case "set":
                self.put(args[0].lstrip("$").lower(), self.variables.text(args[1], trip))
            case "break":
                self.stopped = True
            case "return":
                return self.given(step.directive)
            case "rewrite":
                return self.rewrite(step)
            case "if" if self.holds(step):
                if trip.where.kind != "server" and step.level is not None:
                    trip.where = step.level
                return self.all(step.steps)
        return None

    def put(self, name: str, value: str) -> None:
        """Give a variable a value; $args is the query itself, which is then no longer passed on as it came."""
        if name == "args":
            self.trip.args, self.trip.kept = value, False
        else:
            self.trip.variables[name] = value

    def holds(self, step: Step) -> bool:
        args = step.directive.args
        came = self.variables.text(args[0], self.trip)
        if len(args) == 1:
            return came not in ("", "0")
        if step.regex is None:
            return (came == self.variables.text(args[2], self.trip)) is not args[1].startswith("!")
        found = step.regex.search(came)
        if found:
            self.trip.catch(*caught(found))
        return bool(found) is not args[1].startswith("!")

    def given(self, directive: Directive) -> Given:
        args = directive.args
        if len(args) == 1 and not args[0].isdigit():
            return Given(302, self.variables.text(args[0], self.trip), directive)
        text = self.variables.text(args[1], self.trip) if len(args) > 1 else None
        return Given(int(args[0]), text, directive)

    def rewrite(self, step: Step) -> Given | None:
        args, trip = step.directive.args, self.trip
        assert step.regex is not None
        found = step.regex.search(trip.uri)
        if not found:
            trip.captures = []
            return None
        trip.catch(*caught(found))
        flag = args[2] if len(args) > 2 else ""
        status = _FLAGS.get(flag, 0) or (302 if args[1].startswith(_ABSOLUTE) else 0)
        path, mark, args_given = self.replaced(args[1], escaped=bool(status))
        if status:
            return Given(status, self.with_args(args[1], path, mark, args_given), step.directive)
        trip.internal, trip.kept = True, False
        trip.args = self.with_args(args[1], "", "", args_given) if mark else trip.args
        trip.uri = path
        if flag == "break":
            trip.placed, self.changed = False, False
        else:
            self.changed = True
        self.stopped = flag in ("last", "break")
        return Given(500, None, step.directive) if not path else None

    def replaced(self, text: str, *, escaped: bool) -> tuple[str, str, str]:
        """Return the path and the query that a replacement comes to."""
        before, mark, after = text.removesuffix("?").partition("?")
        mark = mark or ("?" if text.endswith("?") else "")
        return self.filled(before, escaped=escaped), mark, self.filled(after, escaped=True)

    def filled(self, text: str, *, escaped: bool) -> str:
        trip = self.trip
        if not escaped or not trip.target.quoted:
            return self.variables.text(text, trip)
        kept, trip.captures = trip.captures, [escape(each, args=True) for each in trip.captures]
        try:
            return self.variables.text(text, trip)
        finally:
            trip.captures = kept

    def with_args(self, text: str, path: str, mark: str, given: str) -> str:
        """Return a replacement with its query, and that of the request behind it, unless a last `?` keeps it off."""
        came = "" if text.endswith("?") else self.trip.args
        joined = f"{given}&{came}" if given and came else given or came
        if not path and not mark:
            return joined
        return f"{path}?{joined}" if joined else path


def run_steps(steps: tuple[Step, ...], trip: Trip, variables: Variables) -> tuple[Given | None, bool]:
    """Do these steps; return the answer that they give, if any, and whether the path is to be looked up again."""
    run = _Run(trip, variables)
    given = run.all(steps)
    return given, run.changed

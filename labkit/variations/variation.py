"""One setting of every knob of the workbench."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from labkit.dissection.secrets import masked_bytes, masked_configuration, masked_words
from labkit.errors import Unreadable, WrongUse
from labkit.parties.faults import FAULTS
from labkit.parties.offer import Offer
from labkit.scenario import CLIENTS

__all__ = [
    "ANSWERS", "LONGEST", "LONGEST_LINE", "MOST_LINES", "MOST_MIDDLES", "PROGRAMS", "FieldLine", "Middle", "Variation",
]  # fmt: skip

LONGEST = 20_000
"""Characters of a configuration, or of any other long text."""

LONGEST_LINE = 2_000
"""Characters of one field line, or of any other short text."""

MOST_LINES = 40
"""Field lines with a box to tick."""

MOST_MIDDLES = 2
"""Proxies of a variation."""

PROGRAMS = ("nginx", "apache")
"""The proxies that can stand between: those with a model."""

ANSWERS: Mapping[str, str] = {
    "agree": "takes up what it can (101)",
    "ignore": "takes up nothing (200)",
    "require": "says 426 where nothing is taken up",
    "redirect": "sends the client elsewhere (302)",
    "decline": "declines with a status",
    "absent": "nothing listens at its address",
}
"""What a server does with an offer: the knob's values, and how they are told."""


class FieldLine(NamedTuple):
    """A field line of the offer, and whether it is sent."""

    name: str
    value: str
    on: bool = True


class Middle(NamedTuple):
    """A proxy: its program, a key of `PROGRAMS`, its configuration text, and whether its upstreams stay as written."""

    program: str
    text: str
    keep_upstreams: bool = False


@dataclass(frozen=True)
class Variation:
    r"""One setting of every knob: who asks, what stands between, who answers. It may be wrong, see `build`.

    Args:
        client: who asks when it is run for real, one of `labkit.scenario.CLIENTS`.
        method: of the request.
        target: of the request.
        version: of the request.
        lines: its field lines, those that are not sent among them.
        free: more field lines, `Name: value` each, as a text.
        say: what the client says after the switch, a message a line.
        middles: the proxies, from the client's end.
        protocols: what the server can switch to, with commas between; each is an echo.
        subprotocols: WebSocket subprotocols that it speaks, likewise.
        origins: values of Origin that it accepts, with blanks between; empty means any.
        answer: what it does with an offer, a key of `ANSWERS`.
        status: the status it declines with.
        location: where it redirects to.
        faults: what it does wrong on purpose, `name` or `name=argument` each.

    Raises:
        WrongUse: a part is of the wrong kind or too long.

    >>> Variation.read(Variation(free="X: 1").written()) == Variation(free="X: 1")
    True
    """

    client: str = "lab"
    method: str = "GET"
    target: str = "/"
    version: str = "HTTP/1.1"
    lines: tuple[FieldLine, ...] = ()
    free: str = ""
    say: str = "Hello"
    middles: tuple[Middle, ...] = ()
    protocols: str = "websocket"
    subprotocols: str = ""
    origins: str = ""
    answer: str = "agree"
    status: str = "403"
    location: str = "/elsewhere"
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(_as(FieldLine, each, "lines") for each in _listed(self, "lines")))
        object.__setattr__(self, "middles", tuple(_as(Middle, each, "middles") for each in _listed(self, "middles")))
        object.__setattr__(self, "faults", _listed(self, "faults"))
        for each in fields(self):
            if each.type == "str":
                _check_text(each.name, getattr(self, each.name), LONGEST if each.name in _LONG else LONGEST_LINE)
        for name, value in [*((each.name, each.value) for each in self.lines), *(("", each) for each in self.faults)]:
            _check_text("a field line or a fault", name, LONGEST_LINE)
            _check_text("a field line or a fault", value, LONGEST_LINE)
        for middle in self.middles:
            _check_text("the configuration of a proxy", middle.text, LONGEST)
        _check_choices(self)

    @classmethod
    def offering(cls, offer: Offer, **knobs: Any) -> Variation:
        """Return a variation with the request line and the field lines of an offer; its other knobs by name.

        >>> Variation.offering(Offer.bare()).lines[1]
        FieldLine(name='Upgrade', value='websocket', on=True)
        """
        lines = tuple(FieldLine(*line) for line in offer.fields)
        return cls(method=offer.method, target=offer.target, version=offer.version, lines=lines, **knobs)

    def but(self, **knobs: Any) -> Variation:
        """Return this variation but for some knobs."""
        return replace(self, **knobs)

    def switched(self, name: str, *, on: bool) -> Variation:
        """Return this variation with every field line of a name sent, or not sent."""
        lines = tuple(each._replace(on=on) if each.name.lower() == name.lower() else each for each in self.lines)
        return self.but(lines=lines)

    def masked(self) -> Variation:
        """Return it with its secrets starred out: for all that is shown, or kept beside a learner's answers.

        >>> Variation(lines=(FieldLine("Cookie", "sid=abc"),), target="/?token=abc").masked().lines[0].value
        'sid=***'
        """
        return replace(
            self,
            target=masked_words(self.target),
            lines=tuple(each._replace(value=_masked_value(each.name, each.value)) for each in self.lines),
            free=masked_bytes(self.free.encode()).decode(),
            middles=tuple(each._replace(text=masked_configuration(each.text)) for each in self.middles),
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        plain = asdict(self)
        plain["lines"] = [list(each) for each in self.lines]
        plain["middles"] = [list(each) for each in self.middles]
        plain["faults"] = list(self.faults)
        return plain

    def written(self) -> str:
        """Return it as a text of JSON."""
        return json.dumps(self.as_json(), ensure_ascii=False, indent=1)

    @classmethod
    def of_json(cls, plain: object) -> Variation:
        """Return the variation that JSON holds; knobs that it does not name are as they are by themselves.

        Raises:
            Unreadable: it is none.
        """
        if not isinstance(plain, Mapping):
            raise Unreadable(f"a variation is an object of JSON, not {str(plain)[:60]!r}")
        known = {each.name for each in fields(cls)}
        other = sorted(str(name) for name in plain if name not in known)
        if other:
            raise Unreadable(f"a variation has no knob {other[0][:60]!r}; it has {', '.join(sorted(known))}")
        try:
            return cls(**plain)
        except WrongUse as error:
            raise Unreadable(f"this is no variation: {error}") from None

    @classmethod
    def read(cls, text: str) -> Variation:
        """Return the variation that a text of JSON holds.

        Raises:
            Unreadable: it holds none.
        """
        try:
            return cls.of_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"this is no JSON: {error}") from None


_LONG = ("free", "say")


def _listed(variation: Variation, name: str) -> tuple[Any, ...]:
    value = getattr(variation, name)
    if not isinstance(value, (list, tuple)):
        raise WrongUse(f"{name} is a list, not {str(value)[:60]!r}")
    most = {"lines": MOST_LINES, "middles": MOST_MIDDLES, "faults": len(FAULTS) + 2}[name]
    if len(value) > most:
        raise WrongUse(f"{len(value)} {name} are too many; a variation has at most {most}")
    return tuple(value)


def _as(kind: type[Any], value: Any, name: str) -> Any:
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= 3:
        raise WrongUse(f"each of the {name} is a {kind.__name__}, not {str(value)[:60]!r}")
    made = kind(*value)
    if not isinstance(made[2], bool):
        raise WrongUse(f"each of the {name} ends in True or False, not {str(made[2])[:60]!r}")
    return made


def _masked_value(name: str, value: str) -> str:
    line = masked_bytes(f"{name}: {value}".encode()).decode("utf-8", "replace")
    return line.partition(": ")[2] if line.startswith(f"{name}: ") else value


def _check_text(name: str, value: object, most: int) -> None:
    if not isinstance(value, str):
        raise WrongUse(f"{name} is a text, not {str(value)[:60]!r}")
    if len(value) > most:
        raise WrongUse(f"{name} has {len(value)} characters; the workbench takes at most {most}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise WrongUse(f"{name} holds half a character, {ascii(value)[:60]}, which no text in UTF-8 can")


def _check_choices(variation: Variation) -> None:
    """Check the knobs that have a few values each."""
    given = [("client", variation.client, tuple(CLIENTS)), ("answer", variation.answer, tuple(ANSWERS))]
    given += [("the program of a proxy", each.program, PROGRAMS) for each in variation.middles]
    for name, value, among in given:
        if value not in among:
            raise WrongUse(f"{name} is one of {', '.join(among)}; not {str(value)[:60]!r}")

"""A variation into a scenario: each part in a step of its own, so that what is wrong is told beside its knob."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from labkit.errors import LabError, WrongUse
from labkit.parties.described import Server
from labkit.parties.faults import check_fault
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Trace
from labkit.variations.variation import Variation
from labkit.wire.fields import Fields

__all__ = ["PATIENCE", "Built", "Prediction", "build", "predict"]

PATIENCE = 2.0
"""Seconds that the client of a variation waits for an answer, and for each message's."""

_MOST_MESSAGES = 8
_KINDS: Mapping[str, type[Nginx | Apache]] = {"nginx": Nginx, "apache": Apache}
_NO_PART = re.compile(r"[ \r\n]")


@dataclass(frozen=True)
class Built:
    """What became of a variation.

    Args:
        scenario: the scenario; None where a knob is wrong.
        troubles: what is wrong, by the knob's name: a part of `Variation`; of a list with the place behind a
            colon, of faults with the name.
    """

    scenario: Scenario | None
    troubles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """What a variation comes to in memory.

    Args:
        trace: what crosses; None where it cannot be told.
        scenario: what can be run for real, also where a model does not answer; None where a knob is wrong.
        troubles: what is wrong, by knob; `predict` where it cannot be told which of two proxies it is.
    """

    trace: Trace | None
    scenario: Scenario | None
    troubles: Mapping[str, str] = field(default_factory=dict)


class _Steps:
    """Does one step after the other, and keeps what went wrong by knob."""

    def __init__(self) -> None:
        self.troubles: dict[str, str] = {}

    def do(self, knob: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
        try:
            return step(*given, **named)
        except LabError as error:
            self.troubles.setdefault(knob, str(error))
            return None


def build(variation: Variation) -> Built:
    """Return the scenario of a variation, or what is wrong with it, by knob.

    >>> build(Variation.offering(Offer.bare(), faults=("cut",))).troubles
    {'faults:cut': "the argument of the fault cut is a whole number of bytes from 1 on: write 'cut=20'"}
    """
    steps = _Steps()
    offer = _offer(variation, steps)
    say = steps.do("say", _messages, variation.say)
    via = [steps.do(f"middles:{place}", _proxy, *each) for place, each in enumerate(variation.middles)]
    server = _server(variation, steps)
    if steps.troubles or offer is None or server is None:
        return Built(None, steps.troubles)
    scenario = Scenario(offer, say, tuple(via), server, client=variation.client, patience=PATIENCE)
    return Built(scenario, steps.troubles)


def predict(variation: Variation) -> Prediction:
    """Simulate a variation with the lab's own client; what cannot be told is told beside its knob.

    >>> predict(Variation.offering(Offer.websocket())).trace is None
    False
    """
    built = build(variation)
    if built.scenario is None:
        return Prediction(None, None, built.troubles)
    steps = _Steps()
    for place, proxy in enumerate(built.scenario.via):
        steps.do(f"middles:{place}", proxy.model)
    asked = replace(built.scenario, client="lab")
    knob = {0: "answer", 1: "middles:0"}.get(len(asked.via), "predict")  # who does not answer, where only one can
    trace = None if steps.troubles else steps.do(knob, simulate, asked)
    return Prediction(trace, built.scenario, steps.troubles)


def _offer(variation: Variation, steps: _Steps) -> Offer | None:
    """Return the offer; every knob of the request line is looked at by itself."""
    for knob, example in (("method", "GET"), ("target", "/"), ("version", "HTTP/1.1")):
        steps.do(knob, _word, knob, getattr(variation, knob), example)
    for place, each in enumerate(variation.lines):
        steps.do(f"lines:{place}", _checked, (each.name, each.value))
    free = steps.do("free", _free, variation.free)
    if steps.troubles:
        return None
    lines = [(each.name, each.value) for each in variation.lines if each.on]
    return Offer(Fields.of([*lines, *free]), variation.method, variation.target, variation.version)


def _word(knob: str, text: str, example: str) -> None:
    if not text or _NO_PART.search(text):
        raise WrongUse(f"the {knob} is one word, such as {example}, not {text!r}")
    Offer(method=text)


def _checked(line: tuple[str, str]) -> tuple[str, str]:
    name, value = line
    if "\r" in name + value or "\n" in name + value:
        raise WrongUse(f"the field line {name!r} goes over the end of its line: write it in one")
    Offer(Fields((line,)))
    return line


def _free(text: str) -> list[tuple[str, str]]:
    return [_checked(_line(number, line)) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _line(number: int, text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise WrongUse(f"line {number} is no field line: write Name: value, not {text[:60]!r}")
    return name, value.strip()


def _messages(text: str) -> tuple[str, ...]:
    messages = tuple(text.splitlines())
    if len(messages) > _MOST_MESSAGES:
        raise WrongUse(f"{len(messages)} messages are too many: the client says at most {_MOST_MESSAGES}, one a line")
    Scenario(say=messages)
    return messages


@lru_cache(16)  # most knobs leave the proxies as they are, and reading a long text takes its time
def _proxy(program: str, text: str, keep_upstreams: bool) -> Proxy:  # noqa: FBT001  the parts of a Middle
    return _KINDS[program](text, keep_upstreams=keep_upstreams)


def _server(variation: Variation, steps: _Steps) -> Server | None:
    """Return the server: first each knob by itself, then all together."""
    names = _split(variation.protocols)
    parts: dict[str, dict[str, Any]] = {
        "protocols": {"protocols": dict.fromkeys(names, echo)},
        "subprotocols": {"subprotocols": _split(variation.subprotocols)},
        "origins": {"origins": tuple(variation.origins.split()) or None},
        "faults": {"faults": variation.faults},
    }
    told = steps.do("answer", _told, variation)
    for fault in variation.faults:
        steps.do(f"faults:{fault.partition('=')[0]}", check_fault, fault)
    for knob, part in parts.items():
        if knob not in _wrong(steps):
            steps.do(knob, Server, **part)
    if told is None or not _wrong(steps).isdisjoint(parts):
        return None
    every = {name: value for part in (*parts.values(), told) for name, value in part.items()}
    server: Server | None = steps.do("answer", Server, **every)
    return server


def _wrong(steps: _Steps) -> set[str]:
    return {knob.partition(":")[0] for knob in steps.troubles}


def _split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _told(variation: Variation) -> dict[str, Any]:
    """Return what the server is told to do with offers."""
    told: dict[str, dict[str, Any]] = {
        "agree": {}, "ignore": {"ignore": True}, "require": {"require": True}, "absent": {"listens": False},
        "redirect": {"redirect": variation.location}, "decline": {"decline": _status(variation.status)},
    }  # fmt: skip
    chosen = told[variation.answer]
    if variation.answer == "redirect" and not variation.location:
        raise WrongUse("say where to: a path or a URL, such as /elsewhere")
    if variation.answer == "decline" and chosen["decline"] is None:
        raise WrongUse(f"the status is a number from 200 to 599, not {variation.status!r}")
    Server(**chosen)
    return chosen


def _status(text: str) -> int | None:
    return int(text) if re.fullmatch("[2-5][0-9]{2}", text.strip()) else None

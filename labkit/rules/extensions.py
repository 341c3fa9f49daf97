"""Rules of how extensions are agreed on: the field, and permessage-deflate in it (RFC 6455, 9.1; RFC 7692, 5 to 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from labkit.rules.evidence import Asked, HeadSeen
from labkit.rules.opening import went_on
from labkit.rules.origin import each_handshake
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.wire.fields import Fields
from labkit.wire.lines import TOKEN

__all__ = ["EXTENSIONS", "malformed"]

_FIELD, _DEFLATE = "Sec-WebSocket-Extensions", "permessage-deflate"
_WORD = TOKEN.decode()
_VALUE = rf'{_WORD}|"(?:{_WORD}|\\[!-~])+"'  # unescaped, a quoted value is a token, too
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*({_WORD})(?:[ \t]*=[ \t]*({_VALUE}))?")
_EXTENSION = re.compile(rf"({_WORD})((?:{_PARAMETER.pattern})*)[ \t]*")
_BITS = re.compile("[89]|1[0-5]")  # RFC 7692, 7.1.2


class _Extension(NamedTuple):
    """An element of the field: its name, and its parameters with their values, None where there is none."""

    name: str
    parameters: tuple[tuple[str, str | None], ...]

    @property
    def values(self) -> dict[str, str | None]:
        return dict(self.parameters)


def _parse(element: str) -> _Extension | None:
    match = _EXTENSION.fullmatch(element)
    if not match:
        return None
    parameters = [(found[1].lower(), found[2]) for found in _PARAMETER.finditer(match[2])]
    plain = tuple((name, re.sub(r'\\(.)|"', r"\1", value) if value else None) for name, value in parameters)
    return _Extension(match[1].lower(), plain)


def _all(fields: Fields) -> list[_Extension]:
    return [found for element in fields.elements(_FIELD) if (found := _parse(element))]


def _deflates(fields: Fields) -> list[_Extension]:
    return [extension for extension in _all(fields) if extension.name == _DEFLATE]


def malformed(fields: Fields) -> str:
    """Say what is wrong with the grammar of Sec-WebSocket-Extensions (RFC 6455, 9.1); "" where nothing is."""
    elements = fields.elements(_FIELD)
    if _FIELD in fields and not elements:
        return "an empty Sec-WebSocket-Extensions"
    return "" if all(_parse(element) for element in elements) else "a Sec-WebSocket-Extensions that breaks its grammar"


def _parameter_fault(deflate: _Extension, *, answer: bool) -> str:
    """Say what is wrong with the parameters of permessage-deflate by themselves (RFC 7692, 7)."""
    names = [name for name, _ in deflate.parameters]
    if len({*names}) < len(names):
        return "a parameter of permessage-deflate that is there twice"
    for name, value in deflate.parameters:
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if value is not None:
                return f"a value for {name}, which has none"
        elif name in ("server_max_window_bits", "client_max_window_bits"):
            free = value is None and name.startswith("client") and not answer
            if not free and not _BITS.fullmatch(value or ""):
                return f"a {name} that is not a number from 8 to 15"
        else:
            return "a parameter that permessage-deflate does not have"
    return ""


_UNOFFERED, _WINDOW, _TAKEOVER = "client_max_window_bits", "server_max_window_bits", "server_no_context_takeover"


def _disagreements(offer: _Extension, answer: _Extension) -> dict[str, str]:
    """Return where an answer does not fit an offer, by the parameter (RFC 7692, 7.1)."""
    asked, said = offer.values, answer.values
    found = {}
    if _UNOFFERED in said and _UNOFFERED not in asked:
        found[_UNOFFERED] = "client_max_window_bits, which the client did not offer"
    if limit := asked.get(_WINDOW):
        if not said.get(_WINDOW):
            found[_WINDOW] = "the offer's server_max_window_bits is accepted and not confirmed"
        elif int(said[_WINDOW] or 0) > int(limit):
            found[_WINDOW] = "a server_max_window_bits above the one that was asked for"
    if _TAKEOVER in asked and _TAKEOVER not in said:
        found[_TAKEOVER] = "the offer's server_no_context_takeover is accepted and not confirmed"
    return found


def _misfit(asked: Asked) -> dict[str, str]:
    """Return where a 101's permessage-deflate, right by itself, does not fit the offer that it comes nearest to."""
    said = _deflates(asked.answer.fields) if asked.answer and asked.switched else []
    offers = [offer for offer in _deflates(asked.head.fields) if not _parameter_fault(offer, answer=False)]
    if not said or not offers or _parameter_fault(said[0], answer=True):
        return {}
    return min((_disagreements(offer, said[0]) for offer in offers), key=len)


def _unfit(parameter: str) -> Check:
    @each_handshake
    def check(asked: Asked) -> Iterator[Sighting]:
        seen = _misfit(asked).get(parameter)
        if seen and asked.answer:
            yield asked.answer.line(_FIELD, seen)

    return check


def _unoffered(asked: Asked) -> str:
    named = {extension.name for extension in _all(asked.answer.fields)} if asked.answer and asked.switched else set()
    return "an extension that was not offered" if named - {each.name for each in _all(asked.head.fields)} else ""


@each_handshake
def _malformed(asked: Asked) -> Iterator[Sighting]:
    for head in (asked.request, asked.answer if asked.switched else None):
        if head and (seen := malformed(head.fields)):
            yield head.line(_FIELD, seen)


@each_handshake
def _malformed_taken(asked: Asked) -> Iterator[Sighting]:
    if not asked.switched or not asked.answer:
        return
    if seen := malformed(asked.head.fields):
        yield asked.answer.first_line(f"a 101 to {seen}")
    yield from went_on(asked, lambda asked: malformed(asked.answer.fields) if asked.answer else "")


@each_handshake
def _other_extension(asked: Asked) -> Iterator[Sighting]:
    seen = _unoffered(asked)
    if seen and asked.answer:
        yield asked.answer.line(_FIELD, seen)


@each_handshake
def _split(asked: Asked) -> Iterator[Sighting]:
    many = len(asked.answer.fields.all(_FIELD)) if asked.answer else 0
    if many > 1 and asked.answer:
        seen = f"{many} {_FIELD} field lines: 11.3.2 forbids what 4.2.2 (5) allows"
        yield asked.answer.line(_FIELD, seen, place=1, note=True)


def _bad_deflate(head: HeadSeen, *, answer: bool) -> str:
    faults = (_parameter_fault(deflate, answer=answer) for deflate in _deflates(head.fields))
    return next(filter(None, faults), "")


@each_handshake
def _bad_offer(asked: Asked) -> Iterator[Sighting]:
    if asked.request and (seen := _bad_deflate(asked.request, answer=False)):
        yield asked.request.line(_FIELD, seen)


@each_handshake
def _bad_offer_taken(asked: Asked) -> Iterator[Sighting]:
    offers = _deflates(asked.head.fields)
    all_bad = offers and all(_parameter_fault(offer, answer=False) for offer in offers)
    if all_bad and asked.switched and asked.answer and _deflates(asked.answer.fields):
        yield asked.answer.line(_FIELD, "permessage-deflate is accepted from an offer that must be declined")


@each_handshake
def _bad_answer(asked: Asked) -> Iterator[Sighting]:
    if asked.switched and asked.answer and (seen := _bad_deflate(asked.answer, answer=True)):
        yield asked.answer.line(_FIELD, seen)


@each_handshake
def _twice(asked: Asked) -> Iterator[Sighting]:
    if asked.switched and asked.answer and len(_deflates(asked.answer.fields)) > 1:
        yield asked.answer.line(_FIELD, "permessage-deflate is accepted twice; there is one RSV1")


def _deflate_fault(asked: Asked) -> str:
    bad = _bad_deflate(asked.answer, answer=True) if asked.answer else ""
    return bad or next(iter(_misfit(asked).values()), "")


@each_handshake
def _unoffered_taken(asked: Asked) -> Iterator[Sighting]:
    return went_on(asked, _unoffered)


@each_handshake
def _bad_answer_taken(asked: Asked) -> Iterator[Sighting]:
    return went_on(asked, _deflate_fault) if asked.switched else iter(())


EXTENSIONS: tuple[Rule, ...] = (
    Rule(
        "W35", Who.SENDER, "RFC 6455, 9.1", Level.MUST,
        "Sec-WebSocket-Extensions is a list of tokens, each with parameters after semicolons.",
        mend="write `name; parameter=value`, with a comma between two extensions", switch=True, check=_malformed,
    ),
    Rule(
        "W46", Who.RECIPIENT, "RFC 6455, 9.1", Level.MUST,
        "Who gets a Sec-WebSocket-Extensions that breaks the grammar fails the connection at once.",
        mend="do not switch, and send no frame", switch=True, check=_malformed_taken,
    ),
    Rule(
        "W45", Who.SENDER, "RFC 6455, 9.1", Level.MUST,
        "The names of extensions are registered with IANA.",
        reason="The registry grows, and is not in the bytes.",
    ),
    Rule(
        "W44", Who.SERVER, "RFC 6455, 9.1", Level.FACT,
        "The order of extensions in the 101 is the order in which they work on a message.",
    ),
    Rule(
        "W23", Who.SERVER, "RFC 6455, 4.2.2 (4)", Level.MUST_NOT,
        "A server names no extension that the client did not offer.",
        mend="name only extensions of the client's list", switch=True, check=_other_extension,
    ),
    Rule(
        "W16", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client fails the connection when the 101 names an extension that it did not offer.",
        mend="close the connection, and send no frame on it", switch=True, check=_unoffered_taken,
    ),
    Rule(
        "W34", Who.SERVER, "RFC 6455, 11.3.2", Level.MUST_NOT,
        "There is one Sec-WebSocket-Extensions in an answer; section 4.2.2 of the same RFC allows several.",
        mend="list all extensions in one field line", check=_split,
    ),
    Rule(
        "W36", Who.CLIENT, "RFC 7692, 7, 7.1; RFC 6455, 9.1", Level.MUST,
        "An offer of permessage-deflate has only its four parameters, each once, with a value as it is defined.",
        mend="write window bits as a number from 8 to 15, and no value behind no_context_takeover", switch=True,
        check=_bad_offer,
    ),
    Rule(
        "W37", Who.SERVER, "RFC 7692, 7", Level.MUST,
        "A server declines an offer of permessage-deflate with a parameter that is unknown, repeated or invalid.",
        mend="accept another offer, or switch without compression", switch=True, check=_bad_offer_taken,
    ),
    Rule(
        "W38", Who.SERVER, "RFC 7692, 7, 7.1; RFC 6455, 9, 9.1", Level.MUST,
        "An accepted permessage-deflate has only its four parameters, each once, with a value as it is defined.",
        mend="write window bits as a number from 8 to 15, and no value behind no_context_takeover", switch=True,
        check=_bad_answer,
    ),
    Rule(
        "W39", Who.SERVER, "RFC 7692, 7.1.2.2", Level.MUST_NOT,
        "A server limits the client's window only where the client offered client_max_window_bits.",
        mend="leave client_max_window_bits out of the answer", switch=True, check=_unfit(_UNOFFERED),
    ),
    Rule(
        "W40", Who.SERVER, "RFC 7692, 7.1.2.1", Level.MUST,
        "Who accepts an offer with server_max_window_bits answers with the same number or a smaller one.",
        mend="answer with the client's server_max_window_bits, or decline the offer", switch=True,
        check=_unfit(_WINDOW),
    ),
    Rule(
        "W41", Who.SERVER, "RFC 7692, 7.1.1.1", Level.MUST,
        "Who accepts an offer with server_no_context_takeover has the same parameter in the answer.",
        mend="answer with server_no_context_takeover, or decline the offer", switch=True, check=_unfit(_TAKEOVER),
    ),
    Rule(
        "W43", Who.SERVER, "RFC 7692, 5", Level.MUST_NOT,
        "A server does not accept two extensions that both use RSV1.",
        mend="accept one of them", switch=True, check=_twice,
    ),
    Rule(
        "W42", Who.CLIENT, "RFC 7692, 5, 7", Level.MUST,
        "A client fails the connection when the parameters of an accepted permessage-deflate are not valid.",
        mend="close the connection, and send no frame on it", switch=True, check=_bad_answer_taken,
    ),
)  # fmt: skip

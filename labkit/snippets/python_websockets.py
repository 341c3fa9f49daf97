"""An offer as a Python program with the library websockets, which makes the opening handshake itself."""

from __future__ import annotations

import re
from collections import Counter

from websockets.exceptions import InvalidHeaderFormat
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.headers import build_extension, parse_extension

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.snippets import literals
from labkit.snippets.handshake import EXTENSIONS, check, host_of, left_out, made, one_value, said, subprotocols
from labkit.snippets.wanted import PATIENCE, Pair, Wanted, Written, added

__all__ = ["write"]

_FORM = "websockets"
_VALUE = re.compile(r"[\t -~\x80-\xff]*")  # what the library lets pass
_DEFLATE = "ClientPerMessageDeflateFactory"
_WINDOWS = ("server_max_window_bits", "client_max_window_bits")

_PROGRAM = """from websockets.exceptions import WebSocketException
{imports}from websockets.sync.client import connect

try:
    with connect(
{arguments}
    ) as connection:
        print("Switched:", connection.response.status_code, connection.response.reason_phrase)
        print(connection.response.headers)
{talk}    print("Closed:", connection.close_code, connection.close_reason)
except (OSError, WebSocketException) as error:
    print("Failed:", error)
"""

_TALK = """        for message in {messages}:
            connection.send(message)
            print(ascii(connection.recv(timeout={patience})))
"""


def write(wanted: Wanted) -> Written:
    """Print a WebSocket handshake, and what is said after it, as a program with websockets."""
    offer = wanted.offer
    check(_FORM, offer)
    host = host_of(_FORM, wanted)
    names, origin, deflate = subprotocols(_FORM, offer), one_value(_FORM, offer, "Origin"), _deflate(offer)
    own = [("Origin", origin)] if origin is not None else []
    extensions = [(EXTENSIONS, value) for value in offer.fields.all(EXTENSIONS)]
    # the library makes the URL's host small
    own = [*made(offer, host.authority.lower()), *own, *extensions, *said(names)]
    given = _rest(offer, own)
    arguments = [literals.python(host.url("ws", offer.target))]
    if host != wanted.to:
        arguments.append(f"address=({literals.python(wanted.to.host)}, {wanted.to.port})")
    arguments += ["proxy=None", "compression=None", "user_agent_header=None"]
    arguments += [f"extensions=[{deflate}]"] * bool(deflate)
    arguments += [f"origin={literals.python(origin)}"] * (origin is not None)
    arguments += [f"subprotocols={literals.python(names)}"] * bool(names)
    arguments += [f"additional_headers={literals.python(given)}"] * bool(given)
    arguments += [f"open_timeout={PATIENCE}, close_timeout={PATIENCE}"]
    text = _PROGRAM.format(
        imports=f"from websockets.extensions.permessage_deflate import {_DEFLATE}\n" if deflate else "",
        arguments="\n".join(f"        {argument}," for argument in arguments),
        talk=_TALK.format(messages=literals.python(list(wanted.say)), patience=PATIENCE) if wanted.say else "",
    )
    return Written(text, added(_FORM, offer, _in_order(own, given), ()), left_out(wanted))


def _in_order(own: list[Pair], given: list[Pair]) -> list[Pair]:
    """Return the field lines as the library sends them: Origin comes behind Host."""
    first = [line for line in own if line[0] in ("Host", "Origin")]
    return [*first, *(line for line in own if line not in first), *given]


def _rest(offer: Offer, own: list[Pair]) -> list[Pair]:
    """Return the field lines that have to be told one by one."""
    left = Counter(offer.fields) - Counter(own)
    rest: list[Pair] = []
    for line in reversed(offer.fields.lines):  # of a repeated line the first is the library's own
        if left[line]:
            left[line] -= 1
            rest.insert(0, line)
    for name, value in [*own, *rest]:
        if not _VALUE.fullmatch(value) or not name:
            raise WrongUse(
                f"{_FORM} does not send the field line {name!r}: its name is empty, or it has control characters"
            )
    return rest


def _deflate(offer: Offer) -> str:
    """Return the expression that makes the library offer compression in these very words; "" where it is not offered.

    Raises:
        WrongUse: it cannot.
    """
    value = one_value(_FORM, offer, EXTENSIONS)
    if value is None:
        return ""
    try:
        [(_, words)] = parse_extension(value)
        settings: dict[str, int | bool | None] = {name: _setting(name, word) for name, word in words}
        factory = ClientPerMessageDeflateFactory(**{"client_max_window_bits": None, **settings})  # type: ignore[arg-type]
        right = build_extension([(factory.name, factory.get_request_params())]) == value
    except (InvalidHeaderFormat, ValueError, TypeError):
        right = False
    if not right:
        raise WrongUse(f"{_FORM} cannot offer these words in the field {EXTENSIONS!r}")
    settings.setdefault("client_max_window_bits", None)
    return f"{_DEFLATE}({', '.join(f'{name}={word!r}' for name, word in settings.items())})"


def _setting(name: str, word: str | None) -> int | bool:
    return int(word) if name in _WINDOWS and word is not None else True

"""An offer as JavaScript for a browser, which makes the opening handshake itself and asks nobody."""

from __future__ import annotations

from dataclasses import replace

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.parties.stream import Fragments, Message
from labkit.snippets import literals
from labkit.snippets.handshake import EXTENSIONS, check, host_of, left_out, made, said, subprotocols
from labkit.snippets.wanted import PATIENCE, Pair, Wanted, Written, added, pair, parts_of
from labkit.wire.fields import Fields

__all__ = ["ALWAYS", "write"]

_FORM = "javascript"

ALWAYS = (
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: …",
    "Origin: …",
    "Accept-Encoding: …",
    "Accept-Language: …",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
)
"""What Chromium adds; other browsers add more."""

_SCRIPT = """const socket = new WebSocket({arguments});
socket.binaryType = "arraybuffer";
const messages = [{messages}];
const patience = setTimeout(() => socket.close(1000), {patience});
const next = () => (messages.length ? socket.send(messages.shift()) : socket.close(1000));

socket.addEventListener("open", () => {{
  console.log("open", socket.protocol, socket.extensions);
  next();
}});
socket.addEventListener("message", (event) => {{
  console.log("message", event.data);
  next();
}});
socket.addEventListener("error", () => console.log("error"));
socket.addEventListener("close", (event) => {{
  clearTimeout(patience);
  console.log("close", event.code, event.reason, event.wasClean);
}});
"""


def write(wanted: Wanted) -> Written:
    """Print a WebSocket handshake, and what is said after it, as a script for a browser."""
    check(_FORM, wanted.offer)
    if "'" in wanted.offer.target:
        raise WrongUse(f"a browser writes the ' in the target {wanted.offer.target!r} as %27")
    host_of(_FORM, wanted)
    names = subprotocols(_FORM, wanted.offer)
    offer = _of_a_browser(wanted)
    url = literals.javascript(wanted.to.url("ws", offer.target))
    protocols = f", [{', '.join(map(literals.javascript, names))}]" if names else ""
    text = _SCRIPT.format(
        arguments=url + protocols,
        messages=", ".join(_literal(each) for each in wanted.say),
        patience=PATIENCE * 1000,
    )
    adds = added(_FORM, offer, _sent(offer, names), ALWAYS)
    moved = wanted.offer.fields.get("Host") != offer.fields.get("Host")
    other = ("the Host of this offer: a browser names the host of the URL",) if moved else ()
    whole = (
        ("fragments: a browser sends a message in one frame",)
        if any(len(parts_of(each)) > 1 for each in wanted.say)
        else ()
    )
    return Written(text, adds, (*left_out(wanted), *other, *whole))


def _of_a_browser(wanted: Wanted) -> Offer:
    """Return the offer as far as a browser says it: the Host is that of the URL, compression has its own words."""
    lines = []
    for name, value in wanted.offer.fields:
        if name == "Host":
            lines.append((name, wanted.to.authority.lower()))
        elif (name, value) != (EXTENSIONS, "permessage-deflate"):
            lines.append((name, value))
    return replace(wanted.offer, fields=Fields.of(lines))


def _sent(offer: Offer, names: list[str]) -> list[Pair]:
    """Return the field lines in the order of Chromium, those that it adds among them."""
    host, upgrade, connection, key, version = made(offer, offer.fields.get("Host") or "")
    pragma, cache, agent, origin, encoding, language, deflate = map(pair, ALWAYS)
    return [
        host, connection, pragma, cache, agent, upgrade, origin, version, encoding, language, key, deflate,
        *said(names),
    ]  # fmt: skip


def _literal(message: Message | Fragments) -> str:
    if isinstance(message, (str, bytes)):
        return literals.javascript(message)
    return _literal(message[0][:0].join(message))  # type: ignore[arg-type]

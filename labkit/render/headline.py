"""What a trace shows, in words: the title of its diagram and a description of one to three sentences."""

from __future__ import annotations

from collections import Counter

from labkit.dissection import Dissection, Exchange, HopView, Http2Part, OpaquePart
from labkit.render.layout import is_star, listed, names_of
from labkit.render.measure import clean
from labkit.trace import Cut, Direction, End, Gap, How
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import offered

__all__ = ["after", "description", "ends", "headline", "missing", "seam_text"]

_MOST_MISSING = 5  # places of one hop that miss bytes and are told one by one
_FIRST_MISSING = 3  # told of more of them
_DECLINES = {
    "ignored": "ignored", "redirected": "redirected", "required": "upgrade required", "refused": "refused",
}  # fmt: skip


def headline(dissection: Dissection) -> str:
    """Return how the first hop ended in a few words: "Switched to websocket (101)", or all of several clients."""
    if is_star(names_of(dissection.trace)):
        return _of_all(dissection)
    return _of_one(dissection.hops[0] if dissection.hops else None)


def _of_all(dissection: Dissection) -> str:
    """Return how several clients fared: "3 clients: switched to websocket (101)"."""
    said = Counter(_of_one(view) for view in dissection.hops)
    if len(said) == 1:
        told = next(iter(said))
        return f"{len(dissection.hops)} clients: {told[0].lower()}{told[1:]}"
    return f"{len(dissection.hops)} clients: " + "; ".join(
        f"{number} {told[0].lower()}{told[1:]}" for told, number in said.items()
    )


def _of_one(view: HopView | None) -> str:
    exchange = view.exchange if view else None
    if view is None or exchange is None:
        return _nothing(view)
    if exchange.switched:
        asked = "" if exchange.offer or exchange.request is None else ", though nobody had asked"
        return f"Switched to {clean(view.protocol, 40)} (101){asked}"
    status = exchange.status
    if status is None:
        return f"No answer: {_why_none(view, exchange)}"
    if exchange.outcome in _DECLINES:
        return f"Declined: {_DECLINES[exchange.outcome]} ({status})"
    return f"No upgrade was offered ({status})"


def _nothing(view: HopView | None) -> str:
    if told := _tunnelled(view):
        return told
    parts = [part for way in Direction for part in view.parts[way]] if view else []
    labels = ["HTTP/2 from the first byte"] if any(isinstance(part, Http2Part) for part in parts) else []
    labels += [part.label for part in parts if isinstance(part, OpaquePart)]
    return f"No HTTP/1.1: {labels[0]}" if labels else "Nothing crossed"


def _tunnelled(view: HopView | None) -> str:
    """Return what became of the extended CONNECTs in HTTP/2: the first that was opened, or else the first."""
    part = view.http2(Direction.TO_SERVER) if view else None
    tunnels = list(part.tunnels.all.values()) if part else []
    if not tunnels:
        return ""
    opened = [tunnel for tunnel in tunnels if tunnel.opened]
    first = (opened or tunnels)[0]
    protocol = clean(first.protocol, 40)
    if not opened:
        return f"Declined: HTTP/2, {protocol} was asked for ({first.status or 'no answer'})"
    many = f" on {len(opened)} streams" if len(opened) > 1 else ""
    return f"Opened {protocol}{many} in HTTP/2 ({first.status})"


def _why_none(view: HopView, exchange: Exchange) -> str:
    if exchange.garbage:
        return "bytes that are no HTTP came back"
    how = view.ends.get(Direction.TO_CLIENT)
    where = " in the middle of it" if exchange.answer else ""
    if how is How.FIN:
        return f"the connection was closed{where}"
    if how is How.RESET or view.ends.get(Direction.TO_SERVER) is How.RESET:
        return f"the connection was broken off{where}"
    if exchange.answer:
        return "its head did not come whole"
    return "none had come when the recording stopped" if how else "none is recorded"


def after(view: HopView) -> tuple[str, str]:
    """Return what ends at a hop's seam and what follows it: ("HTTP", "websocket")."""
    protocol = clean(view.protocol, 40)
    name = {"tunnel": "a tunnel", "unnamed": "a protocol without a name"}.get(protocol, protocol)
    return "HTTP/1.1" if protocol.lower().split("/")[0] in ("h2c", "http", "h2") else "HTTP", name


def seam_text(view: HopView) -> str:
    """Return what the band at the seam says."""
    http, name = after(view)
    return f"from here on: {name} — the bytes are no longer {http}"


def ends(dissection: Dissection, hop: int) -> str:
    """Return how a hop ended, in the order in which the ends were recorded; "" where nothing says so."""
    parties = dissection.trace.hops[hop]
    found: dict[Direction, How] = {}
    for event in dissection.trace.events:
        if isinstance(event, End) and event.hop == hop:
            found.setdefault(event.direction, event.how)
    if set(found.values()) == {How.ABANDONED}:
        return "still open when the recording stopped"
    words: list[str] = []
    several = list(found.values()).count(How.ABANDONED) == 0 and len(found) > 1
    for way, how in sorted(found.items(), key=lambda item: item[1] is How.ABANDONED):
        party = clean(parties.sender(way), 40)
        first = " first" if several and not words else ""
        if how is How.FIN:
            words.append(f"{party} closed{first} (FIN)" if not words else f"{party} (FIN)")
        elif how is How.RESET:
            words.append(f"{party} broke off{first} (RST)" if not words else f"{party} broke off (RST)")
        else:
            words.append(f"{party} still open when the recording stopped")
    return ", then ".join(words)


def missing(dissection: Dissection) -> list[tuple[int, str]]:
    """Return what the trace does not hold, as hops and words; of many places on a hop the rest is counted."""
    holes = [event for event in dissection.trace.events if isinstance(event, (Cut, Gap))]
    many = {hop for hop, number in Counter(event.hop for event in holes).items() if number > _MOST_MISSING}
    found: list[tuple[int, str]] = []
    told: Counter[int] = Counter()
    rest: dict[int, list[Cut | Gap]] = {}
    for event in holes:
        if event.hop in many and told[event.hop] == _FIRST_MISSING:
            rest.setdefault(event.hop, []).append(event)
            continue
        told[event.hop] += 1
        found.append((event.hop, _hole(dissection, event)))
    return found + [(hop, _more_missing(events)) for hop, events in sorted(rest.items())]


def _hole(dissection: Dissection, event: Cut | Gap) -> str:
    to = clean(dissection.trace.hops[event.hop].receiver(event.direction), 40)
    if isinstance(event, Cut):
        return f"the recording limit was reached: {event.length:,} bytes to the {to} are not shown"
    length = "an unknown number of" if event.length is None else f"{event.length:,}"
    return f"the capture misses {length} bytes to the {to}"


def _more_missing(events: list[Cut | Gap]) -> str:
    size = sum(event.length or 0 for event in events)
    least = "at least " if any(event.length is None for event in events) else ""
    return f"and {len(events):,} more places where bytes are missing, {least}{size:,} bytes together"


def description(dissection: Dissection, tunnels: str = "") -> str:
    """Return a few full sentences on what the diagram shows; `tunnels` is one on the proxies between."""
    view = dissection.hops[0] if dissection.hops else None
    exchange = view.exchange if view else None
    if is_star(names_of(dissection.trace)):
        return _told_of_all(dissection)
    if view is None or exchange is None:
        return f"A sequence diagram. {headline(dissection)}."
    sentences = [_asked(dissection, exchange), _answered(view, exchange), *([tunnels] if tunnels else [])]
    how = ends(dissection, 0)
    if how:
        subject = "The connection was " if how.startswith("still") else ""
        sentences.append(f"{subject}{how}." if subject else f"{how[0].upper()}{how[1:]}.")
    return " ".join(sentences)


def _told_of_all(dissection: Dissection) -> str:
    """Describe several clients at one server: who they are, how each fared, and how much crossed."""
    hops = [(clean(hop.client, 40), view) for hop, view in zip(dissection.trace.hops, dissection.hops, strict=True)]
    server = clean(dissection.trace.hops[0].server, 40)
    sentences = [f"{len(hops)} clients talk to the {server}: {listed(name for name, _ in hops)}."]
    for name, view in hops:
        told = _of_one(view)
        said = f"{name}: {told[0].lower()}{told[1:]}"
        if view.seam:
            said += f", {_count(view, Direction.TO_SERVER)} from {name} and {_count(view, Direction.TO_CLIENT)} to it"
        how = ends(dissection, view.hop)
        sentences.append(f"{said}{f'; {how}' if how else ''}.")
    return " ".join(sentences)


def _asked(dissection: Dissection, exchange: Exchange) -> str:
    trace = dissection.trace
    client, server = clean(trace.hops[0].client, 40), clean(trace.hops[-1].server, 40)
    inner = dict.fromkeys(hop.client for hop in trace.hops[1:] if hop.client != trace.hops[0].client)
    between = [clean(each, 40) for each in inner]
    through = f", through {' and '.join(between)}" if 0 < len(between) <= 4 else ""
    value = exchange.request.value if exchange.request else None
    if not isinstance(value, RequestHead):
        return f"What the {client} sends to the {server}{through} is not a request of HTTP/1.1."
    line = clean(f"{value.method} {value.target}", 80)
    if not exchange.offer:
        return f"The {client} asks the {server}{through} for {line} and offers no upgrade."
    names = clean(" or ".join(str(protocol) for protocol in offered(value.fields)), 80)
    return f"The {client} asks the {server}{through}, with {line}, to switch to {names}."


def _answered(view: HopView, exchange: Exchange) -> str:
    value = exchange.answer.value if exchange.answer else None
    if exchange.status is None or not isinstance(value, ResponseHead):
        return f"No answer comes: {_why_none(view, exchange)}."
    line = clean(f"{value.status} {value.reason}".strip(), 60)
    if exchange.switched:
        what = f"The answer is {line}; from there on the connection speaks {clean(view.protocol, 40)}"
        counts = [_count(view, way) for way in Direction]
        return f"{what}, {counts[0]} from the client and {counts[1]} from the server."
    if exchange.offer:
        return f"The answer is {line}: no switch, so steps 4 and 5 are not reached."
    return f"The answer is {line}."


def _count(view: HopView, way: Direction) -> str:
    frames = view.framed(way)
    number = frames.count if frames else len(view.data[way]) - view.seam.get(way, 0)
    if not number:
        return "nothing"
    unit = "frame" if frames else "byte"
    return f"{number:,} {unit}" + ("s" if number != 1 else "")

"""What a configuration does to an upgrade, and the lines that mend it, proved by running the mended text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from labkit.clinic.asking import PASSES, Ask, asked
from labkit.clinic.diagnosis import Diagnosis
from labkit.clinic.maps import map_for, with_map
from labkit.clinic.mending import Remedy, at, mend, remedies
from labkit.dissection import dissect
from labkit.errors import Absent, LabError, Unmodelled, WrongUse
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.proxies.directive import NoteKind, walk
from labkit.proxies.gateway import ProxyParty, Round
from labkit.proxies.model import Forward, Own
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import play
from labkit.trace import Trace, Transfer

__all__ = ["of_configuration", "read_configuration"]

_NGINX = re.compile(r"(?m)^\s*(server|location|upstream|http|map|events)\b[^;\n]*\{|^\s*(proxy_\w+|listen)\s[^;]*;")
_APACHE = re.compile(r"(?mi)^\s*(<(VirtualHost|Location|IfModule|Proxy)\b|ProxyPass|Rewrite(Rule|Engine)|LoadModule)\b")
# Files without lines that matter; and of `nginx -T`, a mask that nothing was behind.
_HARMLESS = re.compile(r"mime\.types|modules|fastcgi|uwsgi|scgi|ssl|TLS|letsencrypt|no such file is in the text")
_PAGES = "where pages go this way too, a map serves both: labkit cases constant-connection"
_MOST_OTHERS = 3


class _Ran(NamedTuple):
    """One exchange through a proxy: its trace, what the model knows of it, and what ran."""

    trace: Trace
    round: Round | None
    how: str

    @property
    def switched(self) -> bool:
        """Whether the client got its 101."""
        return dissect(self.trace).status == 101


def read_configuration(text: str) -> Proxy | None:
    """Return the proxy that a text configures, by the look of it; None where it is no configuration.

    Raises:
        WrongUse: it is one, and cannot be read.

    >>> read_configuration("location /ws/ { proxy_pass http://backend; }").name
    'nginx'
    >>> read_configuration("Unexpected response code: 400")
    """
    if _APACHE.search(text):
        return Apache(text)
    return Nginx(text) if _NGINX.search(text) else None


def of_configuration(proxy: Proxy, path: str = "", proof: str = "labkit why FILE") -> Diagnosis:
    """Return what a configuration does to an upgrade, and what would mend it.

    Args:
        proxy: the configuration.
        path: the request-target to ask for, with a name before it where there are several servers; unless told,
            each that leads to an upstream. Those that the text means
            for upgrades decide, where there are any: that pages go without Upgrade is no fault.
        proof: the command that shows it.

    Raises:
        Unmodelled: neither the model nor a program of this machine can run it.
    """
    if (missing := map_for(proxy)) is not None:
        return with_map(missing, of_configuration(missing.proxy, path, proof), proof)
    asks = asked(proxy, path)
    if not asks:
        raise WrongUse("nothing in this configuration leads to an upstream: there is no proxy_pass and no ProxyPass")
    runs = {each: _ran(proxy, each) for each in asks}
    wanted = [each for each in asks if each.meant] or asks
    failing = [each for each in wanted if not runs[each].switched]
    if not failing:
        return _well(proxy, runs, proof)
    found = _ill(proxy, failing[0], runs[failing[0]], proof)
    also = tuple(f"{each} fails, too: {_to_ask(proof, each)}" for each in failing[1:])
    return replace(found, others=(*found.others, *also[:_MOST_OTHERS], *_unread(proxy)))


def _to_ask(proof: str, ask: Ask) -> str:
    return f"{proof} --path {ask}"


def _ran(proxy: Proxy, ask: Ask) -> _Ran:
    """Simulate an upgrade through a proxy; where no model answers, run the program."""
    scenario = Scenario(_offer(proxy, ask), via=(proxy,), patience=2.0)
    try:
        trace, parties = play(scenario)
    except Unmodelled as error:
        from labkit.net.programs import find  # noqa: PLC0415  sockets, and only where no model answers
        from labkit.net.run import run  # noqa: PLC0415

        try:
            return _Ran(run(scenario, proxies="real"), None, f"{proxy.name} {find(proxy.program).version}")
        except Absent as absent:
            raise Unmodelled(f"{error}; and {absent}") from None
    party = parties[0]
    rounds = party.rounds if isinstance(party, ProxyParty) else []
    return _Ran(trace, rounds[0] if rounds else None, f"the model of {proxy.name}")


def _offer(proxy: Proxy, ask: Ask) -> Offer:
    host = ask.host or getattr(proxy, "door_host", "")
    return Offer.websocket(ask.path, host=host) if host else Offer.websocket(ask.path)


def _well(proxy: Proxy, runs: dict[Ask, _Ran], proof: str) -> Diagnosis:
    """Say that the upgrade goes through, and what to look at where it still fails."""
    through = [each for each in runs if runs[each].switched]
    ran = runs[through[0]]
    pages = [each for each in runs if not runs[each].switched]
    cautions = [*_cautions(proxy), *_unread(proxy)]
    if pages:
        where = ", ".join(map(str, pages))
        cautions.append(f"not at {where}: right for pages; if a socket asks there: {_to_ask(proof, pages[0])}")
    return Diagnosis(
        f"an upgrade to websocket goes through {proxy.name} at {', '.join(map(str, through))}",
        "nobody, as far as this configuration shows", "RFC 9110, 7.8",
        (cautions[0] if cautions else "nothing here: look at the server behind it, or at what stands before it",),
        f"{proof}: {ran.how} gave the client its 101", tuple(cautions[1:]), proxy.text, ran.trace, ran.trace, ok=True,
    )  # fmt: skip


def _cautions(proxy: Proxy) -> Iterator[str]:
    found = tuple(walk(getattr(proxy, "directives", ())))
    named = {each.name.lower() for each in found}
    if proxy.name == "nginx" and "proxy_read_timeout" not in named:
        yield "if it ends every minute: nginx closes a tunnel that is silent for 60 s; ping, or proxy_read_timeout 1h;"
    for each in found:
        if each.name in ("proxy_read_timeout", "ProxyTimeout", "Timeout") and each.line:
            yield f"if it ends when it is silent: line {each.line} is {each}; ping more often than that"
            break
    if proxy.name == "apache" and not named & {"proxytimeout", "timeout"}:
        yield "if it ends every minute: httpd closes a tunnel that is silent for Timeout seconds, 60 unless told; ping"
    if proxy.name == "nginx" and not any(
        each.name == "proxy_set_header" and each.args[:1] == ("Host",) for each in found
    ):
        yield "if the server says 403: nginx sends the upstream's name as Host; proxy_set_header Host $host;"


def _unread(proxy: Proxy) -> Iterator[str]:
    """Tell what of the text did not take part, and could matter to an upgrade."""
    for note in proxy.notes:
        if note.kind is NoteKind.SKIPPED and not _HARMLESS.search(f"{note.what} {note.why}"):
            yield f"line {note.line} was not read: {note.what}; its lines may matter: put them in its place"
        elif note.kind is NoteKind.SET_ASIDE and note.what.startswith(("auth_basic ", "AuthType", "auth_request ")):
            yield f"line {note.line} asks for a password, and the lab asks for none: {note.what}"


def _ill(proxy: Proxy, ask: Ask, ran: _Ran, proof: str) -> Diagnosis:
    passing = ran.round.forward if ran.round else None
    status = dissect(ran.trace).status
    ended = f"{ask} is answered {status}" if status else f"{ask} is not answered"
    if passing is None and _never_asked(ran.trace):
        own = ran.round.own if ran.round else None
        line = own.line if own else 0
        return Diagnosis(
            f"{ended} by {proxy.name} itself, and the server is never asked{f': {own.by}' if own else ''}",
            f"proxy, {at(proxy.text, line)}" if line else "proxy",
            "RFC 9110, 7.8", (_own_change(proxy, ask, status, own),), f"{proof}: {ran.how} says so", broken=ran.trace,
        )  # fmt: skip
    found = remedies(proxy, getattr(proxy, "directives", ()), passing.line if passing else _first(proxy))
    healed = mend(proxy, found, lambda each: _ran(each, ask).switched)
    if healed is None:
        return Diagnosis(
            f"{ended}; no change of up to three lines that the lab knows makes it switch",
            f"proxy or server, {_place(proxy, passing)}", "RFC 9110, 7.8", tuple(_took(proxy, passing, proof)),
            f"{proof}: {ran.how} says so", broken=ran.trace,
        )  # fmt: skip
    return _mended(proxy, ask, ended, healed, f"{proof}: with these lines", ran)


def _never_asked(trace: Trace) -> bool:
    return not any(isinstance(event, Transfer) and event.hop > 0 for event in trace.events)


def _place(proxy: Proxy, passing: Forward | None) -> str:
    return at(proxy.text, passing.line) if passing and passing.line else "see the trace"


def _took(proxy: Proxy, passing: Forward | None, proof: str) -> Iterator[str]:
    """Tell which lines changed the fields of the upgrade on their way; else where that is to be seen."""
    found = False
    for each in passing.changes if passing else ():
        if each.name.lower() in ("upgrade", "connection") and each.line and each.came.lower() != each.went.lower():
            found = True
            yield f"{at(proxy.text, each.line)}: {each.name}: {each.came} becomes {each.went or 'nothing'}: {each.by}"
    if not found:
        yield f"compare the two requests: {proof} --draw"


def _first(proxy: Proxy) -> int:
    return next((each.line for each in walk(getattr(proxy, "directives", ())) if each.name.lower() in PASSES), 0)


def _own_change(proxy: Proxy, ask: Ask, status: int | None, own: Own | None) -> str:
    if own and re.match(r"RewriteRule .*\bwss?://", own.by):
        return f"{at(proxy.text, own.line)}: add P to its flags, as in [P,L]: without it the rule redirects"
    if status in (301, 302, 307, 308):
        return "dial the URL that the redirect names: no browser follows a redirect of a WebSocket (RFC 6455, 4.1)"
    if status == 404:
        return f"no rule leads {ask} to an upstream: write one for it, or dial a path that has one"
    return f"see what line of {proxy.name}'s configuration answers {ask}"


def _mended(
    proxy: Proxy, ask: Ask, ended: str, healed: tuple[tuple[Remedy, ...], Proxy], proof: str, ran: _Ran
) -> Diagnosis:
    chosen, mended = healed
    fixed = _proved(mended, ask)
    places = [at(proxy.text, line) for line in sorted({edit.line for remedy in chosen for edit in remedy.edits})]
    constant = any('Connection "upgrade"' in remedy.edit.now for remedy in chosen)
    return Diagnosis(
        f"{ended}: {'; '.join(remedy.why for remedy in chosen)}",
        f"proxy, {' and '.join(places)}",
        "; ".join(dict.fromkeys(remedy.clause for remedy in chosen)),
        tuple(f"{at(proxy.text, edit.line)}: {edit.told}" for remedy in chosen for edit in remedy.edits),
        f"{proof} {fixed.how} gives the client its 101",
        (_PAGES,) if constant and not ask.meant else (),
        mended=mended.text,
        broken=ran.trace,
        fixed=fixed.trace,
    )


def _proved(mended: Proxy, ask: Ask) -> _Ran:
    """Run the mended text: with the program where it is on this machine, else with the model."""
    from labkit.net.programs import find  # noqa: PLC0415  the model alone needs no sockets

    scenario = Scenario(_offer(mended, ask), via=(mended,), patience=2.0)
    program = find(mended.program)
    if program:
        from labkit.net.run import run  # noqa: PLC0415

        try:
            trace = run(scenario, proxies="real")
        except LabError:  # it does not start here; the model's word stands
            return _ran(mended, ask)
        return _Ran(trace, None, f"{mended.name} {program.version}")
    return _ran(mended, ask)

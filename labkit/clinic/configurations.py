"""What a configuration does to an upgrade, and the lines that mend it, proved by running the mended text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from labkit.clinic.diagnosis import Diagnosis
from labkit.clinic.mending import Remedy, mend, remedies
from labkit.dissection import dissect
from labkit.errors import Absent, LabError, Unmodelled, WrongUse
from labkit.net.programs import find
from labkit.net.run import run
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.proxies.directive import Directive, walk
from labkit.proxies.gateway import ProxyParty, Round
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import play
from labkit.trace import Trace

__all__ = ["of_configuration", "read_configuration"]

_NGINX = re.compile(r"(?m)^\s*(server|location|upstream|http|map|events)\b[^;\n]*\{|^\s*(proxy_\w+|listen)\s[^;]*;")
_APACHE = re.compile(r"(?mi)^\s*(<(VirtualHost|Location|IfModule|Proxy)\b|ProxyPass|Rewrite(Rule|Engine)|LoadModule)\b")
_PASSES = frozenset(("proxy_pass", "proxypass", "proxypassmatch", "rewriterule"))
_MOST_PATHS = 8


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
        path: the request-target to ask for; unless told, each that leads to an upstream.
        proof: the command that shows it.

    Raises:
        Unmodelled: neither the model nor a program of this machine can run it.
    """
    asked = [path] if path else list(dict.fromkeys(_paths(proxy)))[:_MOST_PATHS]
    if not asked:
        raise WrongUse("nothing in this configuration leads to an upstream: there is no proxy_pass and no ProxyPass")
    runs = {each: _ran(proxy, each) for each in asked}
    failing = next((each for each in asked if not runs[each].switched), None)
    if failing is None:
        return _well(proxy, asked, runs[asked[0]], proof)
    return _ill(proxy, failing, runs[failing], proof)


def _paths(proxy: Proxy) -> Iterator[str]:
    """Yield request-targets that lead to an upstream, as far as the text shows them."""
    yield from _targets(getattr(proxy, "directives", ()), "/")


def _targets(directives: tuple[Directive, ...], around: str) -> Iterator[str]:
    for each in directives:
        name = each.name.lower()
        here = _literal(each.args[-1]) if name in ("location", "<location>", "<location") and each.args else around
        if name in _PASSES and each.args and not (name == "proxypass" and each.args[-1] == "!"):
            inside = name == "proxy_pass" or len(each.args) == 1
            yield here if inside else _literal(each.args[0])
        yield from _targets(each.block or (), here)


def _literal(pattern: str) -> str:
    """Return the beginning of a path or of a regular expression that stands for itself."""
    plain = re.match(r"/?[\w/.~-]*", pattern.lstrip("^").strip("\"'").replace("\\", ""))
    found = plain[0] if plain else ""
    return found if found.startswith("/") else f"/{found}"


def _ran(proxy: Proxy, path: str) -> _Ran:
    """Simulate an upgrade through a proxy; where no model answers, run the program."""
    scenario = Scenario(_offer(proxy, path), via=(proxy,), patience=2.0)
    try:
        trace, parties = play(scenario)
    except Unmodelled as error:
        try:
            return _Ran(run(scenario, proxies="real"), None, f"{proxy.name} {find(proxy.program).version}")
        except Absent as absent:
            raise Unmodelled(f"{error}; and {absent}") from None
    party = parties[0]
    rounds = party.rounds if isinstance(party, ProxyParty) else []
    return _Ran(trace, rounds[0] if rounds else None, f"the model of {proxy.name}")


def _offer(proxy: Proxy, path: str) -> Offer:
    host = getattr(proxy, "door_host", "")
    return Offer.websocket(path, host=host) if host else Offer.websocket(path)


def _well(proxy: Proxy, asked: list[str], ran: _Ran, proof: str) -> Diagnosis:
    """Say that the upgrade goes through, and what to look at where it still fails."""
    cautions = list(_cautions(proxy))
    return Diagnosis(
        f"an upgrade to websocket goes through {proxy.name} at {', '.join(asked)}",
        "nobody, as far as this configuration shows", "RFC 9110, 7.8",
        (cautions[0] if cautions else "nothing here: look at the server behind it, or at what stands before it",),
        f"{proof}: {ran.how} gave the client its 101", tuple(cautions[1:]), proxy.text, ran.trace, ran.trace, ok=True,
    )  # fmt: skip


def _cautions(proxy: Proxy) -> Iterator[str]:
    named = {each.name.lower() for each in walk(getattr(proxy, "directives", ()))}
    if proxy.name == "nginx" and "proxy_read_timeout" not in named:
        yield "if it ends every minute: nginx closes a tunnel that is silent for 60 s; ping, or proxy_read_timeout 1h;"
    if proxy.name == "apache" and not named & {"proxytimeout", "timeout"}:
        yield "if it ends every minute: httpd closes a tunnel that is silent for Timeout seconds, 60 unless told; ping"
    if proxy.name == "nginx" and not any(
        each.name == "proxy_set_header" and each.args[:1] == ("Host",)
        for each in walk(getattr(proxy, "directives", ()))
    ):
        yield "if the server says 403: nginx sends the upstream's name as Host; proxy_set_header Host $host;"


def _ill(proxy: Proxy, path: str, ran: _Ran, proof: str) -> Diagnosis:
    passing = ran.round.forward if ran.round else None
    status = dissect(ran.trace).status
    ended = f"{path} is answered {status}" if status else f"{path} is not answered"
    if passing is None and ran.round is not None and ran.round.own is not None:
        own = ran.round.own
        where = f", line {own.line}" if own.line else ""
        return Diagnosis(
            f"{ended} by {proxy.name} itself, and the server is never asked: {own.by}", f"proxy{where}",
            "RFC 9110, 7.8", (_own_change(proxy, path, status),), f"{proof}: {ran.how} says so", broken=ran.trace,
        )  # fmt: skip
    found = remedies(proxy, getattr(proxy, "directives", ()), passing.line if passing else _first(proxy))
    healed = mend(proxy, found, lambda each: _ran(each, path).switched)
    if healed is None:
        return Diagnosis(
            f"{ended}; no change of up to three lines that the lab knows makes it switch",
            f"proxy or server, {_place(passing)}", "RFC 9110, 7.8",
            ("look at what became of each line: labkit.xray(scenario)",), f"{proof}: {ran.how} says so",
            broken=ran.trace,
        )  # fmt: skip
    return _mended(path, ended, healed, proof, ran)


def _place(passing: object) -> str:
    line = getattr(passing, "line", 0)
    return f"line {line}" if line else "see the trace"


def _first(proxy: Proxy) -> int:
    return next((each.line for each in walk(getattr(proxy, "directives", ())) if each.name.lower() in _PASSES), 0)


def _own_change(proxy: Proxy, path: str, status: int | None) -> str:
    if status in (301, 302, 307, 308):
        return "dial the URL that the redirect names: no browser follows a redirect of a WebSocket (RFC 6455, 4.1)"
    if status == 404:
        return f"no rule leads {path} to an upstream: write one for it, or dial a path that has one"
    return f"see what line of {proxy.name}'s configuration answers {path}"


def _mended(path: str, ended: str, healed: tuple[tuple[Remedy, ...], Proxy], proof: str, ran: _Ran) -> Diagnosis:
    chosen, mended = healed
    fixed = _proved(mended, path)
    lines = sorted({remedy.edit.line for remedy in chosen})
    return Diagnosis(
        f"{ended}: {'; '.join(remedy.why for remedy in chosen)}",
        f"proxy, line {', '.join(map(str, lines))}",
        "; ".join(dict.fromkeys(remedy.clause for remedy in chosen)),
        tuple(str(remedy.edit).strip() for remedy in chosen),
        f"{proof}: with these lines {fixed.how} gives the client its 101",
        mended=mended.text,
        broken=ran.trace,
        fixed=fixed.trace,
    )


def _proved(mended: Proxy, path: str) -> _Ran:
    """Run the mended text: with the program where it is on this machine, else with the model."""
    scenario = Scenario(_offer(mended, path), via=(mended,), patience=2.0)
    program = find(mended.program)
    if program:
        try:
            trace = run(scenario, proxies="real")
        except LabError:  # it does not start here; the model's word stands
            return _ran(mended, path)
        return _Ran(trace, None, f"{mended.name} {program.version}")
    return _ran(mended, path)

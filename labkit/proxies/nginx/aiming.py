"""Where each proxy_pass leads, and by which upstream block the real nginx can be led elsewhere unnoticed.

What a backend sees as `Host` is, unless the text says otherwise, $proxy_host: the name that stands in
proxy_pass. So names stay. `http://backend` is left as it is, and an upstream block of that name leads to
the lab's server. nginx takes no upstream block for a name with a port ("may not have port"); there the
lab writes another name, and a map gives back the written one wherever $proxy_host is used.

    proxy_pass http://app:3000;      →  proxy_pass http://app_3000;   $lab_host is app:3000
    proxy_pass http://$backend;      →  the values that set and map give $backend are written so, or
                                        proxy_pass http://$lab_upstream_1;   $lab_host is $backend
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.errors import Refused, WrongUse
from labkit.proxies.directive import Directive, walk
from labkit.proxies.nginx.expressions import names_in
from labkit.proxies.nginx.reading import at
from labkit.proxies.nginx.writing import shown

__all__ = ["Aims", "Target", "aims_of", "target_of"]

_URL = re.compile(r"(?P<scheme>https?|\$\w+|\$\{\w+\})://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_UNIX = re.compile(r"unix:(?P<path>[^:]*)(?::(?P<uri>.*))?", re.DOTALL)
_CAPTURED = re.compile(r"\?P?[<'](\w+)[>']")  # a part of a regular expression that has a name
_WHOLE = re.compile(r"(?:\$\{\w+\}|\$\w+)")
_OF_URI = r"\$\{?(?:request_uri|uri|document_uri|is_args)\b"  # each begins with a slash or a ?
_FOLLOWED = re.compile(rf"(?:\$\{{\w+\}}|\$\w+)(?:(?:[/?]|{_OF_URI}).*)?", re.DOTALL)  # else it could name another host
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.*~!+-]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_AUTHORITY = re.compile(  # up to a slash or a query, to a variable behind a port, or to one that holds a path
    rf"(?:\[[^\]/]*\](?::[0-9]+)?|(?:(?!{_OF_URI})[^/?:])*(?::[0-9]+|:(?:(?!{_OF_URI})[^/?:])+)?)", re.DOTALL
)
_DEFAULT = {"http": "80", "https": "443"}
_VALUES = frozenset({"map", "split_clients", "geo"})
_NO_VALUES = frozenset({"delete", "proxy"})  # of geo: the line has another meaning there
_OWN = re.compile(
    r"(?:\$\{?|\?P?[<'])lab_(?:upstream_\w*|host|port|scheme|https)\b"
)  # variables of the lab's own, as they are given a value

Values = dict[str, list[str]]  # a variable, in lower case → what `set` and `map` give it


class Target(NamedTuple):
    """What a proxy_pass names.

    Args:
        scheme: as it is written.
        authority: host and port, or the path of a socket file; with variables, what is written.
        name: what nginx takes for $proxy_host; with variables, the expression for it.
        rest: the URI behind it.
        computed: whether variables decide where it leads.
        socket: whether it is a socket file.
    """

    scheme: str
    authority: str
    name: str
    rest: str
    computed: bool = False
    socket: bool = False


def target_of(url: str) -> Target | None:
    """Take apart what a proxy_pass names; None where it does not begin as nginx wants it.

    >>> target_of("http://app:3000/ws/")
    Target(scheme='http', authority='app:3000', name='app:3000', rest='/ws/', computed=False, socket=False)
    """
    found = _URL.fullmatch(url)
    if not found:
        return None
    scheme, rest = found["scheme"].lower(), found["rest"]
    unix = _UNIX.fullmatch(rest)
    if unix:
        return Target(scheme, f"unix:{unix['path']}", "localhost", unix["uri"] or "", socket=True)
    cut = _AUTHORITY.match(rest)
    authority = cut[0] if cut else ""
    if "$" in authority or "$" in scheme:
        return Target(scheme, authority, authority, rest[len(authority) :], computed=True)
    host = _HOST.fullmatch(authority)
    if not host:
        return None
    usual = host["port"] == _DEFAULT[scheme]
    name, behind = host["host"] if usual else authority, rest[len(authority) :]
    return Target(scheme, authority, name, behind, computed=usual and behind.startswith("$"))


@dataclass(slots=True)
class Aims:
    """Which names lead to the lab's server, and how the real nginx is told so.

    Args:
        blocks: the names of the upstream blocks of the text, in lower case.
        taken: these, and all other names that are no free ones.
        plain: names without a port that no block defines: a block of that name is added.
        renamed: a name with a port, or an expression with variables → the name of the upstream block in its place.
        computed: what is written where variables decide → the variable in its place, and the name it stands for.
        defined: variables whose values are rewritten where they are given.
    """

    blocks: frozenset[str]
    taken: set[str]
    plain: dict[str, Directive] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    computed: dict[str, tuple[str, str]] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)

    def url(self, url: str) -> str:
        """Return what the real nginx is given in place of what a proxy_pass names."""
        target = target_of(url)
        if target is None:
            return url  # all of it is a variable
        if target.authority in self.computed:
            return f"http://${self.computed[target.authority][0]}{target.rest}"
        if target.computed:
            return f"http://{target.authority}{target.rest}"
        return f"http://{self.name(target.name)}{target.rest}"

    def name(self, name: str) -> str:
        """Return the name of the upstream block for one that is written."""
        return self.renamed.get(name, name)

    def value(self, value: str) -> str:
        """Return a value of a variable that decides where a proxy_pass leads."""
        if target_of(value):
            return self.url(value)
        host, slash, rest = value.partition("/")
        return self.name(host) + slash + rest

    def need(self, target: Target, directive: Directive) -> None:
        """See to it that there is an upstream block for a target without variables."""
        host = _HOST.fullmatch(target.name)
        self._check_port(target, directive)
        if host and host["port"]:
            self._rename(target.name, f"{host['host'].strip('[]').replace(':', '_')}_{host['port']}")
        elif target.name.lower() not in self.blocks:
            self.plain.setdefault(target.name.lower(), directive)

    def _check_port(self, target: Target, directive: Directive) -> None:
        host = _HOST.fullmatch(target.authority)
        if host and host["port"] and host["host"].lower() in self.blocks:
            name, port = host["host"], host["port"]
            what = f"{shown(directive)}: {name} is an upstream block, which takes no port; leave out :{port}"
            raise WrongUse(at(directive.line, what))

    def compute(self, target: Target, directive: Directive) -> None:
        """See to it that there is one for a target whose variables are known to nginx alone."""
        if target.authority in self.computed:
            return
        variable = f"lab_upstream_{len(self.computed) + 1}"
        self.computed[target.authority] = variable, target.name
        if "$" in target.authority:
            self._rename(target.name, variable)
        else:
            self.need(target, directive)

    def _rename(self, written: str, wanted: str) -> None:
        if written not in self.renamed:
            while wanted.lower() in self.taken:
                wanted += "_"
            self.taken.add(wanted.lower())
            self.renamed[written] = wanted


def aims_of(http: Directive) -> Aims:
    """Look at every proxy_pass of a configuration.

    Raises:
        WrongUse: one is no URL, or a variable has a name that the lab gives its own.
        Refused: one leads where a request says.
    """
    for each in walk([http]):
        own = next((found[0] for word in (each.name, *each.args) if (found := _OWN.search(word))), "")
        if own:
            raise WrongUse(at(each.line, f"{shown(each)}: {own} is a name of the lab's own; rename it"))
    blocks = frozenset(each.args[0].lower() for each in http.inside("upstream") if each.args)
    aims = Aims(blocks, {word.lower() for each in walk([http]) for word in _names(each)})
    values = _values(http)
    for each in walk([http]):
        if each.name == "proxy_pass" and len(each.args) == 1:
            _aim(aims, values, each)
    return aims


def _names(directive: Directive) -> Iterator[str]:
    for arg in directive.args:
        yield arg
        target = target_of(arg)
        if target:
            yield target.name


def _aim(aims: Aims, values: Values, directive: Directive) -> None:
    url = directive.args[0]
    target = target_of(url)
    if target is None:
        _aim_whole(aims, values, directive)
    elif not target.computed:
        aims.need(target, directive)
    elif not _aim_values(aims, values, directive, target):
        aims.compute(target, directive)


def _aim_values(aims: Aims, values: Values, directive: Directive, target: Target) -> bool:
    """Rewrite the values of a lone variable, where all of them are names; tell whether that could be done."""
    if "$" in target.scheme or not _WHOLE.fullmatch(target.authority):
        return False
    variable = names_in(target.authority)[0]
    hosts = [_HOST.fullmatch(value.partition("/")[0]) for value in values.get(variable, ())]
    if not hosts or not all(hosts):
        return False
    for host in filter(None, hosts):
        name = host["host"] if host["port"] == "80" else host[0]
        if name != host[0]:  # $proxy_host has no :80, but the value has
            return False
        aims.need(Target(target.scheme, name, name, ""), directive)
    aims.defined.add(variable)
    return True


def _aim_whole(aims: Aims, values: Values, directive: Directive) -> None:
    """Rewrite the values of a variable that holds a whole URL."""
    url = directive.args[0]
    variables = names_in(url)
    if not url.startswith("$") or not variables:
        why = "an upgrade begins as HTTP" if url.startswith(("ws://", "wss://")) else "nginx knows no other beginning"
        raise WrongUse(at(directive.line, f"{shown(directive)}: write http:// or https://; {why}"))
    targets = [target_of(value) for value in values.get(variables[0], ())]
    if not targets or not all(targets) or not _FOLLOWED.fullmatch(url):
        raise Refused(
            at(
                directive.line,
                f"{shown(directive)} leads where ${variables[0]} says: write http:// and a name before it",
            )
        )
    for target in filter(None, targets):
        if target.computed:
            aims.compute(target, directive)
        else:
            aims.need(target, directive)
    aims.defined.add(variables[0])


def _values(http: Directive) -> Values:
    """Return the values that a text gives to its variables, less those that have theirs from elsewhere."""
    found: Values = {}
    elsewhere: set[str] = set()
    for each in walk([http]):
        if each.name == "set":
            found.setdefault(each.args[0][1:].lower(), []).append(each.args[1])
        elif each.name in _VALUES and each.block is not None:
            found.setdefault(each.args[-1][1:].lower(), []).extend(_given(each))
        elif each.name == "auth_request_set":
            elsewhere.add(each.args[0][1:].lower())
        elsewhere.update(name.lower() for word in (each.name, *each.args) for name in _CAPTURED.findall(word))
    return {name: values for name, values in found.items() if name not in elsewhere}


def _given(block: Directive) -> Iterator[str]:
    for each in block.block or ():
        if block.name != "geo" or each.name not in _NO_VALUES:
            yield from each.args[:1]

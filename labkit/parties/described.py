"""What a server is told to be: a frozen description, the same for the simulation and the real one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from labkit.errors import WrongUse
from labkit.parties.answer import Answer, check_utf8, checked
from labkit.parties.faults import check_faults
from labkit.parties.http2_core import need_h2
from labkit.parties.pages import PageHandler
from labkit.parties.stream import Handler, echo
from labkit.wire.lines import TOKEN

__all__ = ["DEFLATE", "Limits", "Server"]

DEFLATE = ("stored", "zlib", "off")

_TOKEN = re.compile(TOKEN.decode())
_NAME = re.compile(rf"{_TOKEN.pattern}(/{_TOKEN.pattern})?")
_PATH = re.compile(r"/[!-\"$->@-~]*")  # no query, no fragment
_VISIBLE = re.compile(r"[!-~]+")


def _unusual(described: Limits | Server, *left_out: str) -> list[str]:
    """Return what was set, as `name=value`, where it is not what it would have been."""
    found = []
    for each in fields(described):
        usual = each.default_factory() if callable(each.default_factory) else each.default
        value = getattr(described, each.name)
        if each.name not in left_out and value != usual:
            found.append(f"{each.name}={value!r}")
    return found


@dataclass(frozen=True, slots=True, repr=False)
class Limits:
    """How much a server takes, and how long it waits. All can be set; none can be switched off.

    Args:
        head: bytes of a request's head; beyond it 431.
        content: bytes of a request's content; beyond it 413.
        message: bytes of a WebSocket message; beyond it Close 1009.
        fragments: fragments of one message; beyond it Close 1008.
        connections: open at once; the next one gets 503.
        requests: on one connection; the last answer says `Connection: close`.
        head_time: seconds to finish a head, from its first byte; then 408.
        content_time: seconds to finish the content; then 408.
        idle_time: seconds without a byte; then the connection is closed (WebSocket: Close 1001).
        close_time: seconds to wait for the other side's part of a closing.
        recorded: bytes kept per connection, both directions together.
        traces: traces kept per server; the oldest go first.
    """

    head: int = 16 << 10
    content: int = 1 << 20
    message: int = 1 << 20
    fragments: int = 1 << 16
    connections: int = 1000
    requests: int = 1000
    head_time: float = 10.0
    content_time: float = 30.0
    idle_time: float = 60.0
    close_time: float = 2.0
    recorded: int = 1 << 20
    traces: int = 100

    def __repr__(self) -> str:
        return f"Limits({', '.join(_unusual(self))})"

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type == "int" and (type(value) is not int or value < 1):
                raise WrongUse(f"limit {each.name} must be a whole number above 0, not {value!r}")
            if type(value) not in (int, float) or not 0 < value < math.inf:
                raise WrongUse(f"limit {each.name} must be a number of seconds above 0, not {value!r}")


def _websocket() -> Mapping[str, Handler]:
    return MappingProxyType({"websocket": echo})


@dataclass(frozen=True, repr=False)
class Server:
    """What a server does when it is asked.

    Args:
        protocols: what it can switch to: the name as in an Upgrade field, and the handler that speaks it.
        prefer: "client" to take the first offered protocol it knows, "server" to take its own first one.
        paths: request-targets that exist; empty means all do.
        ignore: take up no offer, as if no protocol were known (RFC 9110, 7.8).
        redirect: send those that offer an upgrade there with 302; a Location.
        decline: answer those that offer an upgrade so: a status code, 200 to 599, or an `Answer`.
        require: answer 426 where no upgrade is made (RFC 9110, 15.5.22), instead of a plain page.
            Of these four, at most one is given.
        subprotocols: WebSocket subprotocols it speaks, the best first.
        origins: values of the Origin field it accepts; None accepts any. Absent is always accepted:
            only browsers send one.
        deflate: permessage-deflate: "stored" agrees and sends stored blocks (the same bytes everywhere),
            "zlib" compresses, "off" declines.
        page: the plain page: its text, or an `Answer`, such as one of HTML.
        pages: what is at some paths instead of the plain page: an `Answer`, with a Content-Type of its own say,
            or a handler, `async def handler(exchange)`, see `Exchange`. `faults` leave a handler's answer alone.
        http2: speak HTTP/2, too, with a client that begins with its preface (RFC 9113, 3.4), in the clear: the same
            protocols by extended CONNECT (RFC 8441). The faults are of HTTP/1.1 alone.
        listens: whether anything listens at its address; where not, connections are refused.
        faults: what it does wrong on purpose, as `name` or `name=argument`; `labkit.faults()` lists them.
        limits: how much, and how long.

    >>> list(Server(protocols={"quote/1.0": echo}).protocols)
    ['quote/1.0']
    """

    protocols: Mapping[str, Handler] = field(default_factory=_websocket)
    prefer: str = "client"
    paths: tuple[str, ...] = ()
    ignore: bool = False
    redirect: str = ""
    decline: int | Answer | None = None
    require: bool = False
    subprotocols: tuple[str, ...] = ()
    origins: tuple[str, ...] | None = None
    deflate: str = "stored"
    page: str | Answer = "A plain page: no upgrade was made.\n"
    pages: Mapping[str, Answer | PageHandler] = field(default_factory=dict)
    http2: bool = False
    listens: bool = True
    faults: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.prefer not in ("client", "server"):
            raise WrongUse(f'prefer is "client" or "server", not {self.prefer!r}')
        if self.deflate not in DEFLATE:
            raise WrongUse(f"deflate is one of {', '.join(DEFLATE)}, not {self.deflate!r}")
        if not isinstance(self.limits, Limits):
            raise WrongUse(f"limits is a Limits(…), not {self.limits!r}")
        if isinstance(self.page, str):
            check_utf8("page", self.page)
        else:
            object.__setattr__(self, "page", checked(self.page, "page is a text or"))
        for name in ("http2", "listens"):
            if type(getattr(self, name)) is not bool:
                raise WrongUse(f"{name} is True or False, not {getattr(self, name)!r}")
        if self.http2:
            need_h2()
        self._check_told()
        self._check_protocols()
        self._check_pages()
        object.__setattr__(self, "protocols", MappingProxyType(dict(self.protocols)))
        for each, shape in (("paths", _PATH), ("subprotocols", _TOKEN), ("origins", _VISIBLE)):
            self._check_list(each, shape)
        self._check_faults()

    def _check_told(self) -> None:
        given = {"ignore": self.ignore, "redirect": self.redirect, "decline": self.decline is not None}
        told = [name for name, value in {**given, "require": self.require}.items() if value]
        if len(told) > 1:
            raise WrongUse(f"a server is told one thing to do with offers, not both {' and '.join(told)}")
        if told and not self.protocols:
            raise WrongUse(f"told to {told[0]}, and there is no protocol to upgrade to")
        if not isinstance(self.redirect, str) or (self.redirect and not _VISIBLE.fullmatch(self.redirect)):
            raise WrongUse(f"redirect is the URL or path of a Location, not {self.redirect!r}")
        if self.decline is not None:
            object.__setattr__(self, "decline", checked(self.decline))

    def _check_pages(self) -> None:
        if not isinstance(self.pages, Mapping):
            raise WrongUse(f"pages is a dictionary of paths and what is there, not {self.pages!r}")
        pages: dict[str, Answer | PageHandler] = {}
        for path, own in self.pages.items():
            if not isinstance(path, str) or not _PATH.fullmatch(path):
                raise WrongUse(f"{path!r} is no path of a page: write '/echo', without a query")
            if not isinstance(own, Answer) and not callable(own):
                raise WrongUse(f"at {path} there is an Answer(…) or `async def handler(exchange)`, not {own!r}")
            pages[path] = checked(own) if isinstance(own, Answer) else own
        object.__setattr__(self, "pages", MappingProxyType(pages))

    def _check_faults(self) -> None:
        if isinstance(self.faults, str):
            raise WrongUse(f"faults is a list of texts, not one text: write [{self.faults!r}]")
        if not isinstance(self.faults, Iterable):
            raise WrongUse(f"faults is a list of texts, not {self.faults!r}")
        object.__setattr__(self, "faults", check_faults(self.faults))

    def __repr__(self) -> str:
        own = list(self.protocols)
        protocols = [] if own == ["websocket"] else [f"protocols={own}"]
        pages = [f"pages={list(self.pages)}"] if self.pages else []
        return f"Server({', '.join([*protocols, *pages, *_unusual(self, 'protocols', 'pages')])})"

    def _check_protocols(self) -> None:
        if not isinstance(self.protocols, Mapping):
            raise WrongUse(f"protocols is a dictionary of names and handlers, not {self.protocols!r}")
        for name, handler in self.protocols.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise WrongUse(f"{name!r} is no protocol: write `name` or `name/version` (RFC 9110, 7.8)")
            if name.lower() == "h2":
                raise WrongUse("h2 is HTTP/2 over TLS, where nothing is upgraded; write 'h2c' (RFC 7540, 3.2)")
            if not callable(handler):
                raise WrongUse(f"the handler of {name!r} is not a function: write `async def handler(stream)`")

    def _check_list(self, name: str, shape: re.Pattern[str]) -> None:
        values = getattr(self, name)
        if isinstance(values, str):
            raise WrongUse(f"{name} is a list of texts, not one text: write [{values!r}]")
        if values is None and name == "origins":
            return
        if not isinstance(values, Iterable):
            raise WrongUse(f"{name} is a list of texts, not {values!r}")
        object.__setattr__(self, name, tuple(values))
        for value in getattr(self, name):
            if not isinstance(value, str) or not shape.fullmatch(value):
                raise WrongUse(f"{value!r} cannot be one of the {name}")

"""Failures that stand in a proxy's configuration, reproduced: the text as people write it, and the same mended."""

from __future__ import annotations

from labkit.cases.by_server import chat
from labkit.cases.catalogue import snippet
from labkit.cases.seen import CUT, GREETING, Reproduced, Seen
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario

__all__ = ["CASES"]

_REQUIRED = Server(require=True)  # says 426 where other servers say 400
_MAP = "map $http_upgrade $connection_upgrade {\n    default upgrade;\n    ''      close;\n}\n"
_FIELDS = ("proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;")
_VERSION = "proxy_http_version 1.1;"
_BACKEND = "proxy_pass http://app:3000;"
_SAYS_426 = Seen(426)
_DEAD = "127.0.0.1:9"  # the port of a service that nobody runs
_KERNEL = Offer.websocket("/jupyter/api/kernels/7f3c/channels")


def _site(*lines: str, before: str = "") -> str:
    """Return a site file of nginx's with these lines in its only location."""
    inner = "\n".join(f"        {line}" for line in lines)
    return f"{before}server {{\n    listen 80;\n    location / {{\n{inner}\n    }}\n}}"


_PLAIN = _site(_BACKEND)
_NO_VERSION = _site(_BACKEND, *_FIELDS, before=_MAP)
_BLANK = _site(_BACKEND, _VERSION, _FIELDS[0], 'proxy_set_header Connection "";', before=_MAP)
_KEEPS_ALIVE = _site(_BACKEND, _VERSION, 'proxy_set_header Connection "";')
_IMPATIENT = _site(_BACKEND, _VERSION, *_FIELDS, "proxy_read_timeout 1s;", before=_MAP)
_NOBODY = _site(f"proxy_pass http://{_DEAD};", _VERSION, *_FIELDS, before=_MAP)
_GENERAL_FIRST = "\n".join(reversed(snippet("apache-order").splitlines()[1:]))
_WS_RULE = 'ProxyPass "/" "ws://127.0.0.1:3000/"'
_ONE_MODULE = f"LoadModule proxy_module modules/mod_proxy.so\n{_WS_RULE}"
_TWO_MODULES = _ONE_MODULE.replace("\n", "\nLoadModule proxy_http_module modules/mod_proxy_http.so\n")


async def _pings(stream: Stream) -> None:
    """Echo, and ask for a sign of life well before the proxy loses its patience."""
    while True:
        try:
            message = await stream.receive(0.4)
        except TimeoutError:
            await stream.ping()
        else:
            await stream.send(message)


def _nginx(text: str, *, keep_upstreams: bool = False) -> tuple[Proxy, ...]:
    return (Nginx(text, keep_upstreams=keep_upstreams),)


def _apache(text: str) -> tuple[Proxy, ...]:
    return (Apache(text),)


def _of_nginx(broken: str, fixed: str, fails: Seen = _SAYS_426) -> Reproduced:
    """Return a case with nginx in front of a server that asks for an upgrade."""
    return Reproduced(
        lambda: Scenario(via=_nginx(broken), server=_REQUIRED),
        lambda: Scenario(via=_nginx(fixed), server=_REQUIRED),
        fails,
        proxy="nginx",
    )


CASES: dict[str, Reproduced] = {
    "proxy-drops-upgrade": _of_nginx(_PLAIN, snippet("nginx-upgrade")),
    "idle-timeout": Reproduced(
        lambda: Scenario(say=chat, via=_nginx(_IMPATIENT)),
        lambda: Scenario(say=chat, via=_nginx(_IMPATIENT), server=Server(protocols={"websocket": _pings})),
        Seen(101, (GREETING,), closes=CUT),
        Seen(101, (GREETING, "again"), closes=1000),
        proxy="nginx",
    ),
    "jupyter-kernel": Reproduced(
        lambda: Scenario(_KERNEL, via=_apache(_GENERAL_FIRST), server=_REQUIRED),
        lambda: Scenario(_KERNEL, via=_apache(snippet("apache-order")), server=_REQUIRED),
        _SAYS_426,
        proxy="apache",
    ),
    "apache-no-scheme-handler": Reproduced(
        lambda: Scenario(via=_apache(_ONE_MODULE)),
        lambda: Scenario(via=_apache(_TWO_MODULES)),
        Seen(500),
        proxy="apache",
    ),
    "http-1-0-backend": _of_nginx(_NO_VERSION, snippet("nginx-upgrade")),
    "constant-connection": _of_nginx(_BLANK, snippet("nginx-upgrade")),
    "backend-down": Reproduced(
        lambda: Scenario(via=_nginx(_NOBODY, keep_upstreams=True)),
        lambda: Scenario(via=_nginx(snippet("nginx-upgrade"))),
        Seen(502),
        proxy="nginx",
    ),
    "http2-hop": Reproduced(
        lambda: Scenario(Offer.connect("/chat"), server=Server(http2=True, protocols={})),  # no RFC 8441
        lambda: Scenario(Offer.websocket("/chat")),
        Seen(None),
    ),
    "http-mode-balancer": _of_nginx(_KEEPS_ALIVE, snippet("nginx-upgrade")),
}
"""The cases by name."""

"""What stands between the load and the server: nothing, a model of nginx, nginx, Apache, or a tap.

As a process it is the embedded proxy, or the tap, before the server at a port: it says where it listens as `labkit
serve` does, and ends with its input.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labkit.bench.children import child, port_of
from labkit.errors import WrongUse
from labkit.net.listener import Listener
from labkit.net.model_proxy import ModelProxy
from labkit.net.programs import find
from labkit.net.real import start
from labkit.net.tap import Tap
from labkit.proxies.apache import Apache
from labkit.proxies.described import Proxy
from labkit.proxies.nginx import Nginx

__all__ = ["VIAS", "main", "present", "stand"]

NGINX = """
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
upstream lab { server 127.0.0.1:3000; keepalive 64; }
server {
    listen 80;
    client_max_body_size 2m;
    location / {
        proxy_pass http://lab;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_buffering off;
    }
}
"""
APACHE = """
MaxKeepAliveRequests 0
<VirtualHost *:80>
ProxyPass "/" "http://lab.example.com/" upgrade=ANY
ProxyPreserveHost On
</VirtualHost>
"""

VIAS = ("", "embedded", "nginx", "apache")
"""What can stand between; "" is nothing."""

_REAL: dict[str, Proxy] = {"nginx": Nginx(NGINX), "apache": Apache(APACHE)}


def present(via: str) -> bool:
    """Tell whether it is on this machine."""
    return via not in _REAL or bool(find(_REAL[via].program))


_OWN: dict[str, Callable[[str], Listener]] = {
    "embedded": lambda target: ModelProxy(_REAL["nginx"], target, recorded=1),
    "tap": Tap,
}


@contextmanager
def stand(via: str, port: int) -> Iterator[tuple[int, str]]:
    """Put it before the server at a port while the block lasts; give its port, and its version where it has one.

    Raises:
        Absent: the program is not on this machine.
    """
    if via in _REAL:
        with start(_REAL[via], f"127.0.0.1:{port}") as started:
            yield started.port, started.named
    elif via in _OWN:
        with child("-m", "labkit.bench.standing", via, str(port), apart=True) as proxy:
            yield port_of(proxy), ""
    elif via:
        raise WrongUse(f"nothing that can stand between is called {via!r}; there are {', '.join(filter(None, VIAS))}")
    else:
        yield port, ""


def main() -> None:
    """Stand before a server until the input ends."""
    with _OWN[sys.argv[1]](f"127.0.0.1:{int(sys.argv[2])}") as proxy:
        print(f"listening on {proxy.url.rstrip('/')}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

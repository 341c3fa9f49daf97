"""One proxy of each kind, described as simply as can be; nginx and Apache by a whole configuration of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from labkit.net.programs import find
from labkit.proxies.apache import Apache
from labkit.proxies.caddy import Caddy
from labkit.proxies.described import Place, Proxy
from labkit.proxies.haproxy import Haproxy

NGINX = """
pid FOLDER/nginx.pid;
error_log stderr info;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://UPSTREAM;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
        }
        location /own {
            return 404;
        }
    }
}
"""
APACHE = """
ServerRoot FOLDER
DefaultRuntimeDir FOLDER
PidFile FOLDER/httpd.pid
Mutex file:FOLDER
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
ErrorLog FOLDER/error.log
ServerName localhost
Listen 127.0.0.1:PORT
ProxyPreserveHost On
ProxyPass / http://UPSTREAM/ upgrade=websocket
"""


@dataclass(frozen=True, repr=False)
class Whole(Proxy):
    """A proxy by a whole configuration, in which the places are written in capitals."""

    def _read(self) -> None:
        pass

    def completed(self, place: Place) -> str:
        text = self.text
        for word, value in (
            ("FOLDER", place.folder), ("PORT", str(place.port)), ("UPSTREAM", place.upstream), ("MODULES", place.modules)
        ):  # fmt: skip
            text = text.replace(word, value)
        return text

    def model(self):
        raise AssertionError


@dataclass(frozen=True, repr=False)
class WholeNginx(Whole):
    program = name = "nginx"


@dataclass(frozen=True, repr=False)
class WholeApache(Whole):
    program, name = "apache2", "apache"


EACH: dict[str, Proxy] = {
    "nginx": WholeNginx(NGINX),
    "apache2": WholeApache(APACHE),
    "haproxy": Haproxy("server one app:3000"),
    "caddy": Caddy("reverse_proxy app:3000"),
}
BY_SOCKET = Apache("ProxyPass / http://app.example:3000/ upgrade=websocket")
"""One whose program dials a socket, and names the host as the text does."""

SPOILT: dict[str, Proxy] = {
    "nginx": WholeNginx(NGINX.replace("return 404", "foo bar")),
    "apache2": WholeApache(APACHE + "Foo bar\n"),
    "haproxy": Haproxy("server one app:3000\nfoo bar"),
    "caddy": Caddy("reverse_proxy app:3000\nfoo bar"),
}


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test where a program is absent; never in CI."""
    return pytest.mark.skipif(not find(name) and not os.environ.get("CI"), reason=f"{name} is not on this machine")


EVERY = [pytest.param(name, marks=needs(name)) for name in EACH]

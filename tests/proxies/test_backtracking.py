"""Which regular expressions the models leave to the programs, for they could take for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import Unmodelled
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.proxies.backtracking import endless
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate


@pytest.mark.parametrize(
    "text",
    ["^/(a+)+b$", "(x+x+)+y", "(a|a)*$", "(/a|/a?)+$", "((a{2,})?)*", "(?:.|x)+y", "(a|)+b", ".*" * 7, "([^]]+)*"],
)
def test_what_could_take_for_ever_is_known(text: str):
    """What repeats inside of what repeats, alternatives that begin alike, and many repeats."""
    assert endless(text)


@pytest.mark.parametrize(
    "text",
    [
        r"^/(user/[^/]+/)?(api/kernels/[^/]+/channels|terminals/websocket)(/.*)?$", r"^(www\.)?example\.(com|org)$",
        "(ab|cd)+", r"[(+*)]+\(a+\)", "(a{1,3})*", "^~*\\.(png|jpg)$",
    ],
)  # fmt: skip
def test_what_people_write_is_not(text: str):
    """Expressions of site files are matched."""
    assert not endless(text)


@given(st.text("ab()[]{}|*+?^$.\\,1"))
def test_any_text_has_an_answer(text: str):
    """Whatever is written, it is told at once."""
    assert endless(text) in (True, False)


@pytest.mark.parametrize(
    "proxy",
    [
        Nginx('location ~ "^/(a+)+b$" { return 200; } location / { proxy_pass http://a; }'),
        Nginx('server { server_name "~^(a+)+b$"; location / { proxy_pass http://a; } }'),
        Apache("RewriteEngine On\nRewriteRule ^/(a+)+b$ - [F]\nProxyPass / http://a/"),
    ],
)
def test_the_models_refuse_them(proxy: Nginx | Apache):
    """A model does not try on and on; it names the line, and the program can be run."""
    with pytest.raises(Unmodelled, match=r"line \d: .*run it for real"):
        simulate(Scenario(Offer.plain("/" + "a" * 60, host="a" * 60), via=[proxy]))

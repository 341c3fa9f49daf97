"""What a text could make of the model: values without an end."""

from __future__ import annotations

import pytest

from labkit.errors import Unmodelled
from labkit.net.run import run
from labkit.parties.offer import Offer
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate

GROWING = [
    "location / { rewrite ^(.*)$ $1$1$1$1$1$1$1$1$1 last; proxy_pass http://a; }",
    f"location / {{ set $a aaaaaaaaaa; {'set $a $a$a$a$a$a$a$a$a$a$a;' * 12} proxy_set_header X $a; proxy_pass http://a; }}",
]


def asked(text: str) -> Scenario:
    return Scenario(Offer.plain("/"), via=[Nginx(text)], patience=2.0)


@pytest.mark.parametrize("text", GROWING)
def test_values_do_not_grow_without_an_end(text: str, caplog: pytest.LogCaptureFixture):
    """A text whose values grow and grow is refused in one line; on sockets the trace says so, and nothing is logged."""
    with pytest.raises(Unmodelled, match="longer than 1048576 characters"):
        simulate(asked(text))
    assert "longer than 1048576 characters" in run(asked(text), proxies="model").note
    assert not caplog.records


def test_variables_in_a_round_are_nothing():
    """Two maps that ask each other come to nothing, as in nginx."""
    text = "map $b $a { default $b; } map $a $b { default $a; } server { location / { proxy_set_header X $a; proxy_pass http://a; } }"
    assert "X: " not in str(simulate(asked(text)))

import pytest

from labkit.parties.offer import Offer
from labkit.variations.changes import changes
from labkit.variations.variation import Middle, Variation

CONF = "location / {\n    proxy_pass http://a;\n    proxy_http_version 1.1;\n}"
WHOLE = Variation.offering(Offer.websocket(), middles=(Middle("nginx", CONF),))


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({}, ()),
        ({"client": "curl"}, ("client: curl",)),
        ({"say": ""}, ("say: (empty)",)),
        ({"say": "a\nb"}, ("say: a ⏎ b",)),
        ({"target": "/" + "x" * 100}, (f"target: /{'x' * 59}…",)),
        ({"free": "X: 1"}, ("X: 1",)),
        ({"free": "upgrade: h2c"}, ("upgrade: h2c",)),
        ({"answer": "decline"}, ("server: declines with a status: 403",)),
        ({"faults": ("cut=20",)}, ("fault cut=20",)),
        ({"status": "418"}, ()),
        ({"middles": ()}, ("proxy 1 is gone",)),
        ({"middles": (Middle("apache", CONF),)}, ("proxy 1: apache",)),
        ({"middles": (Middle("nginx", CONF, True),)}, ("proxy 1: upstreams as written",)),
        ({"middles": (*WHOLE.middles, Middle("apache", ""))}, ("proxy 2: apache",)),
        ({"middles": (Middle("nginx", CONF.replace("1.1", "1.0")),)}, ("proxy 1, line 3: proxy_http_version 1.0",)),
        (
            {"middles": (Middle("nginx", CONF.replace("    proxy_http_version 1.1;\n", "")),)},
            ("proxy 1, without proxy_http_version 1.1",),
        ),
        ({"middles": (Middle("nginx", CONF.replace("    ", "\t")),)}, ()),
        ({"middles": (Middle("nginx", CONF.replace(";", "")),)}, ("proxy 1, brackets, semicolons or empty lines",)),
    ],
)
def test_each_knob_is_told(knobs, told):
    """What was turned is told in a few words, and nothing else."""
    assert changes(WHOLE, WHOLE.but(**knobs)) == told


def test_a_line_that_is_off_is_told():
    """A box that was ticked or not is a field line with or without."""
    off = WHOLE.switched("Upgrade", on=False)
    assert changes(WHOLE, off) == ("without Upgrade",)
    assert changes(off, WHOLE) == ("Upgrade: websocket",)


def test_a_line_again_is_told():
    """The same lines in another number are a change too."""
    assert changes(WHOLE, WHOLE.but(free="Upgrade: websocket")) == (
        "the field lines in another order, or another number of them",
    )


def test_many_changed_lines_are_counted():
    """Of a text that is another one, the first lines are told."""
    told = changes(WHOLE, WHOLE.but(middles=(Middle("nginx", "\n".join(f"a{n};" for n in range(20))),)))
    assert len(told) == 5
    assert told[-1] == "proxy 1, 16 more lines"

import math

import pytest

from labkit.errors import WrongUse
from labkit.parties.answer import Answer
from labkit.parties.described import Limits, Server
from labkit.parties.stream import echo


@pytest.mark.parametrize("name", list(Limits.__dataclass_fields__))
@pytest.mark.parametrize("value", [0, -1, True, "1", None, math.nan, math.inf])
def test_a_limit_is_a_number_above_zero(name, value):
    """No limit can be switched off, and a wrong one is named."""
    with pytest.raises(WrongUse, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("head", 1.5), ("fragments", 2.0)])
def test_what_is_counted_is_whole(name, value):
    """Bytes, fragments and connections are whole numbers; only times may have a fraction."""
    with pytest.raises(WrongUse, match="whole number"):
        Limits(**{name: value})
    assert Limits(idle_time=1.5).idle_time == 1.5


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"prefer": "me"}, "prefer"),
        ({"deflate": "max"}, "stored, zlib, off"),
        ({"protocols": {"x": 1}}, "async def handler"),
        ({"protocols": {"a b": echo}}, "is no protocol"),
        ({"protocols": {"a\r\nX: y": echo}}, "is no protocol"),
        ({"protocols": {"": echo}}, "is no protocol"),
        ({"protocols": {}, "require": True}, "no protocol to upgrade to"),
        ({"protocols": {}, "decline": 403}, "no protocol to upgrade to"),
        ({"ignore": True, "require": True}, "not both ignore and require"),
        ({"redirect": "/a", "decline": 403}, "not both redirect and decline"),
        ({"redirect": "a b"}, "redirect is the URL"),
        ({"redirect": 5}, "redirect is the URL"),
        ({"decline": 101}, "200 to 599, not 101"),
        ({"decline": 0}, "200 to 599, not 0"),
        ({"decline": True}, "decline is a status code or an Answer"),
        ({"faults": "close"}, "write ['close']"),
        ({"faults": 5}, "faults is a list"),
        ({"faults": ["clse"]}, "no fault is called 'clse'; there are unasked, no-upgrade"),
        ({"paths": "/chat"}, "write ['/chat']"),
        ({"paths": ["chat"]}, "one of the paths"),
        ({"paths": ["/a?b"]}, "one of the paths"),
        ({"subprotocols": "chat"}, "write ['chat']"),
        ({"subprotocols": ["a,b"]}, "one of the subprotocols"),
        ({"origins": "https://a.example"}, "is a list"),
        ({"origins": [1]}, "one of the origins"),
        ({"limits": 5}, "limits is a Limits"),
        ({"page": None}, "page is a text"),
        ({"page": "a\ud800"}, "page is text in UTF-8, which has no '\\ud800' (character 1)"),
        ({"decline": Answer(403, "\ud800")}, "the reason of an answer is text in UTF-8"),
        ({"decline": Answer(403, "", (("X", "→"),))}, "is no field line"),
        ({"decline": Answer(403, "", (("X", "\ud800"),))}, "is no field line"),
        ({"protocols": None}, "protocols is a dictionary"),
        ({"protocols": {1: echo}}, "is no protocol"),
        ({"subprotocols": 5}, "list of texts, not 5"),
        ({"paths": None}, "list of texts, not None"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(settings, named):
    """A wrong setting is told when the server is described, not when it is asked."""
    with pytest.raises(WrongUse) as caught:
        Server(**settings)
    assert named in str(caught.value)


def test_a_description_cannot_be_changed():
    """A server is told once: neither the description nor what went into it changes it later."""
    protocols = {"x": echo}
    server = Server(protocols=protocols, paths=["/a"], faults=["close"])
    assert server.faults == ("close",)
    protocols["y"] = echo
    assert list(server.protocols) == ["x"]
    assert server.paths == ("/a",)
    with pytest.raises(TypeError):
        server.protocols["y"] = echo
    with pytest.raises(AttributeError):
        server.page = "new"


def test_h2_is_no_upgrade():
    """HTTP/2 over TLS is no protocol to switch to; the error says what is (RFC 7540, 3.2)."""
    with pytest.raises(WrongUse, match="write 'h2c'"):
        Server(protocols={"h2": echo})


def test_a_server_prints_what_it_was_told():
    """Only what differs from the usual is printed, and nothing that changes from run to run."""
    assert repr(Server()) == "Server()"
    told = Server(protocols={"quote": echo}, decline=403, limits=Limits(head=99))
    assert repr(told).startswith("Server(protocols=['quote'], decline=Answer(status=403, ")
    assert repr(told).endswith(", limits=Limits(head=99))")

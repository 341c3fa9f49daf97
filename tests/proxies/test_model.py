import pytest

from labkit.proxies.model import Forward, Framing, Model, Own, Relay, Times, Turn
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from tests.proxies.plain import Plain

HEAD = RequestHead("GET", "/", Fields.of([("Host", "a")]))


def test_a_forward_is_its_head_and_its_content():
    """What goes upstream is the head as it was made, and the content behind it."""
    assert Forward("a:80", HEAD, b"hi").to_bytes() == b"GET / HTTP/1.1\r\nHost: a\r\n\r\nhi"


def test_a_model_has_to_decide():
    """A model that leaves out a decision cannot be made."""
    with pytest.raises(TypeError, match="abstract"):
        Model("a", "1")


def test_what_a_model_need_not_decide():
    """Times, what is too long, what is broken and what the log says have an answer of their own."""
    plain = Plain("")
    forward = Forward("a", HEAD)
    assert (plain.tunnel_time(forward), plain.answer_time(forward)) == (plain.times.tunnel, plain.times.answer)
    assert plain.too_long(HEAD, 4 << 20) is None
    assert plain.too_long(HEAD, (4 << 20) + 1).data.startswith(b"HTTP/1.1 413 ")
    assert plain.broken(HEAD) == plain.cut(b"")
    assert "tunnel" in plain.silence(tunnel=True)
    assert "upstream" in plain.silence(tunnel=False)


def test_values_are_safe_unless_told():
    """An answer of its own closes, and an answer that is relayed has no content, unless the model says so."""
    assert Own(b"", "a rule").closes
    assert Relay(Turn.FINAL).framing is Framing.NONE
    assert not Relay(Turn.FINAL).keeps_upstream
    assert all(seconds > 0 for seconds in Times())

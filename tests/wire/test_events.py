import pytest

from labkit.errors import WrongUse
from labkit.wire.events import event


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
def test_every_line_is_a_line_of_data(ending):
    """All three line ends are line ends in a stream of events (HTML, 9.2.5)."""
    assert event(f"a{ending}b") == b"data: a\ndata: b\n\n"


def test_an_event_may_be_named_and_numbered():
    """Its type and its id are lines of their own, before the data; text is UTF-8 (HTML, 9.2.5)."""
    assert event("ä", name="tick", number="7") == "event: tick\nid: 7\ndata: ä\n\n".encode()


@pytest.mark.parametrize("bad", [{"name": "a\nb"}, {"number": "a\rb"}, {"number": "\0"}])
def test_a_name_is_one_line(bad):
    """What would break out of its line is refused."""
    with pytest.raises(WrongUse):
        event("x", **bad)

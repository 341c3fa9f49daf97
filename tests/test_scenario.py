import pytest

from labkit.errors import WrongUse
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario


def test_a_scenario_is_whole_by_itself():
    """Unless told, a client offers websocket and says Hello to a server that echoes."""
    scenario = Scenario()
    assert scenario.offer == Offer.websocket()
    assert scenario.say == ("Hello",)
    assert list(scenario.server.protocols) == ["websocket"]


def test_what_is_said_is_kept():
    """A list, or anything that gives messages, becomes a tuple: a scenario can be run twice."""
    assert Scenario(say=["a", b"b"]).say == ("a", b"b")
    assert Scenario(say=(str(number) for number in range(3))).say == ("0", "1", "2")


def test_a_scenario_cannot_be_changed():
    """It is frozen, and so are its parts."""
    with pytest.raises(AttributeError):
        Scenario().server = Server()


def test_one_message_is_no_list():
    """A text given for a list of messages is refused."""
    with pytest.raises(WrongUse, match="write \\['Hello'\\]"):
        Scenario(say="Hello")


def test_only_a_proxy_stands_between():
    """What is no proxy is refused when the scenario is made."""
    with pytest.raises(WrongUse, match="is a proxy, such as Nginx"):
        Scenario(via=(object(),))


@pytest.mark.parametrize(("name", "value"), [("offer", 5), ("offer", None), ("server", 5), ("say", 5), ("say", None)])
def test_a_part_of_the_wrong_type_is_named(name, value):
    """What cannot be run is refused when it is made."""
    with pytest.raises(WrongUse, match=f"^{name} is a"):
        Scenario(**{name: value})

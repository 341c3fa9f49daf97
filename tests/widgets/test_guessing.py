import pytest

from labkit.parties.described import Server
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace, Transfer
from labkit.widgets.guessing import GUESSES, came, right


@pytest.mark.parametrize(
    ("server", "what"),
    [
        (Server(), "101"), (Server(ignore=True), "200"), (Server(redirect="/x"), "3xx"), (Server(decline=418), "other"),
        (Server(decline=503), "5xx"), (Server(faults=("close",)), "none"), (Server(faults=("interim=103",)), "101"),
    ],
)  # fmt: skip
def test_what_came_is_one_of_what_can_be_said(server, what):
    """The final answer counts, and every answer is one that can be guessed."""
    assert came(simulate(Scenario(server=server))) == what
    assert what in GUESSES


def test_a_guess_is_judged_in_a_sentence():
    """Right and wrong have a sign and words."""
    trace = Trace((Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n"),))
    assert right("none", trace) == "✓ You said none, and so it is."
    assert right("101", trace) == "✗ You said 101; it is no answer."

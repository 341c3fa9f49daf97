import pytest

from labkit.parties.clocks import LogicalClock
from labkit.parties.party import Driver, Ending
from labkit.proxies.far import FarSide


class Noted:
    """A machine that only notes what it is told."""

    def __init__(self, answer=None):
        self.told = []
        self.clock = LogicalClock()
        self.choked = False
        self.driver = Driver(self.clock, None, wrote=lambda: self.told.append("wrote"), dial=self._dial)
        self._answer = answer

    def _dial(self, address, far):
        self.told.append(address)
        if self._answer == "connected":
            far.connected(Driver(self.clock, None))
        elif self._answer:
            far.unreached(self._answer)
        return lambda: self.told.append("given up")

    def reached(self, far):
        self.told.append("reached")

    def trouble(self, far, trouble):
        self.told.append(trouble.name)

    def heard(self, far, data):
        self.told.append(data)

    def left(self, far):
        self.told.append("left")

    def lost(self, far):
        self.told.append("lost")


def side(answer=None):
    owner = Noted(answer)
    return owner, FarSide(owner, "upstream:80", 5.0)


@pytest.mark.parametrize(("answer", "word"), [("connected", "reached"), ("refused", "REFUSED"), ("unreachable", "UNREACHABLE")])  # fmt: skip
def test_dialling_has_an_answer(answer, word):
    """The machine hears how the dialling went, also where that is known at once; then there is nothing to give up."""
    owner, far = side(answer)
    far.dial()
    assert far.reached is (answer == "connected")
    far.end()
    assert owner.told == ["upstream:80", word]


def test_what_is_not_there_yet_is_given_up():
    """A side that ends while it dials gives that up, once."""
    owner, far = side()
    far.dial()
    far.end()
    far.end()
    assert owner.told == ["upstream:80", "given up"]


def test_what_comes_is_passed_on():
    """Bytes, one FIN and the end of the connection go to the machine."""
    owner, far = side("connected")
    far.dial()
    far.receive(b"hi")
    far.receive_eof()
    far.receive_eof()
    far.gone()
    far.receive_eof()
    assert owner.told[2:] == [b"hi", "left", "lost"]


def test_writes_leave_in_one():
    """What was written is sent once, and whoever drives the leg is told of it."""
    owner, far = side()
    woken = []
    far.connected(Driver(owner.clock, None, wrote=lambda: woken.append(1)))
    far.write(b"a")
    far.write(b"b")
    assert far.outgoing() == b"ab"
    assert far.outgoing() == b""
    assert len(woken) == 2


def test_a_fin_leaves_the_other_direction_open():
    """After a FIN alone nothing is due, and back-pressure still holds; after the end there is a deadline, and none."""
    owner, far = side("connected")
    far.dial()
    owner.choked = True
    far.fin()
    assert (far.ending, far.deadline, far.full) == (Ending.FIN, None, True)
    far.end()
    assert (far.ending, far.deadline, far.full) == (Ending.FIN, 5.0, False)


def test_it_breaks_off_in_time():
    """A tick too early does nothing; at the deadline the leg is broken off."""
    owner, far = side("connected")
    far.dial()
    far.tick()
    far.end()
    owner.clock.now = 4.9
    far.tick()
    assert far.ending is Ending.FIN
    owner.clock.now = 5.0
    far.tick()
    assert (far.ending, far.deadline) == (Ending.RESET, None)


def test_being_shut_is_an_end():
    """A side that is stopped ends as any other."""
    _, far = side("connected")
    far.dial()
    far.shut()
    assert far.ending is Ending.FIN


def test_the_machine_hears_whether_the_upstream_takes_more():
    """The near leg is looked at anew when the upstream takes no more, and when it does again."""
    owner, far = side()
    far.writable(False)
    assert far.choked
    far.writable(True)
    assert not far.choked
    assert owner.told == ["wrote", "wrote"]

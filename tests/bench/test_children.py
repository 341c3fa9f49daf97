from __future__ import annotations

import pytest

from labkit.bench.children import Child, child, load, relaying, rival, serving
from labkit.errors import Failed


def returncode(running: Child) -> int | None:
    return running._process.returncode


def test_a_child_ends_with_its_block() -> None:
    """Also where the block fails, the child is gone after it."""

    def block() -> None:
        with child("-c", "input()") as running:
            seen.append(running)
            raise RuntimeError("in the block")

    seen: list[Child] = []
    with pytest.raises(RuntimeError, match="in the block"):
        block()
    assert returncode(seen[0]) is not None


def test_a_deaf_child_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores SIGTERM is ended all the same."""
    monkeypatch.setattr("labkit.bench.children._END_TIME", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    with child("-c", deaf) as running:
        assert running.line() == "deaf"
    assert returncode(running) is not None


@pytest.mark.parametrize(("program", "patience"), [("pass", 20.0), ("import time; time.sleep(60)", 0.2)])
def test_a_child_that_says_nothing_is_an_error(program: str, patience: float) -> None:
    """Whether it ended or hangs, the wait for its line is bounded and the error names it."""
    with child("-c", program, patience=patience) as running, pytest.raises(Failed, match="python -c"):
        running.line()


def test_a_child_that_died_is_still_ended() -> None:
    """What was told to it and not read hides no error, and leaves no zombie."""
    with child("-c", "import os; os.close(0)") as running:
        running._process.stdin.write("never read\n")
        with pytest.raises(Failed, match="ended"):
            running.line()
    assert returncode(running) is not None


def test_both_servers_echo_what_the_load_sends() -> None:
    """The load's process reaches the lab's server and websockets' in theirs; it compares every byte."""
    with load() as source, serving("--no-deflate") as own, rival() as other:
        assert own != other
        for port in (own, other):
            assert source.rate("echo", port, 50) > 0
            assert source.rate("handshakes", port, 5) > 0


def test_the_proxy_relays_what_the_load_sends() -> None:
    """The embedded proxy stands before the server, in a process of its own, and every byte comes through."""
    with load() as source, serving("--no-deflate") as server, relaying(server) as proxy:
        assert server != proxy
        assert source.rate("echo", proxy, 50) > 0
        assert source.rate("handshakes", proxy, 5) > 0


def test_what_went_wrong_in_the_load_is_told() -> None:
    """An error in the load's process reaches the one who asked."""
    with serving() as port:
        pass
    with load() as source, pytest.raises(Failed, match=f"echo at port {port}: "):
        source.rate("echo", port, 5)

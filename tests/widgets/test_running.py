import threading
import time

import pytest

from labkit.errors import Failed
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.widgets import running
from labkit.widgets.running import Runs


def test_a_run_is_a_run():
    """What crossed is what was predicted, and nothing of it is left."""
    assert Runs().run(Scenario()) == simulate(Scenario())
    assert not [each for each in threading.enumerate() if each.name.startswith("labkit workbench")]


def test_a_run_is_bounded_and_alone(monkeypatch):
    """One that takes too long is told, and none is begun before it has ended."""
    go = threading.Event()
    monkeypatch.setattr(running, "run", lambda _: go.wait(20))
    runs = Runs(0.2)
    since = time.monotonic()
    with pytest.raises(Failed, match=r"within 0\.2 s"):
        runs.run(Scenario())
    with pytest.raises(Failed, match="has not ended yet"):
        runs.run(Scenario())
    assert time.monotonic() - since < 10
    go.set()
    for _ in range(100):
        if not [each for each in threading.enumerate() if each.name.startswith("labkit workbench")]:
            break
        time.sleep(0.05)
    assert runs.run(Scenario()) is True

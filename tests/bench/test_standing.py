from __future__ import annotations

import pytest

from labkit.bench import standing
from labkit.bench.load import talk
from labkit.bench.served import told
from labkit.bench.standing import VIAS, present, stand
from labkit.bench.ways import WAYS
from labkit.errors import Absent, WrongUse
from labkit.net.server import UpgradeServer


@pytest.mark.parametrize("via", [each for each in (*VIAS, "tap") if present(each)])
def test_every_way_goes_through_what_stands_between(via: str) -> None:
    """Two messages of each way come through, and back, in one process for each thing that stands between."""
    with UpgradeServer(told(), record=False) as server, stand(via, server.port) as (port, version):
        assert (port == server.port) is (via == "")
        assert (via in version) if via in ("nginx", "apache") else version == ""
        for way in WAYS:
            assert talk("turns", way, port, size=64, connections=1, seconds=60.0, most=2)["messages"] == 2


def test_what_is_not_here_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is absent is told by name, and so is one that nobody knows."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("labkit.net.programs._ALSO", (), raising=False)
    if not present("nginx"):
        with pytest.raises(Absent, match="nginx"), stand("nginx", 1):
            pass
    with pytest.raises(WrongUse, match="embedded"), stand("squid", 1):
        pass
    assert standing.present("") is standing.present("embedded") is True

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pyodide import parts
from tests.pyodide.inside import Pyodide
from tests.pyodide.simulated import Texts, everything


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the wheels that go into Pyodide; labkit's own is made of this checkout."""
    parts.need_node()
    return [*sorted(parts.wheels().glob("*.whl")), parts.own_wheel(tmp_path_factory.mktemp("wheel"))]


@pytest.fixture(scope="session")
def inside(installed: list[Path]) -> Iterator[Pyodide]:
    """One Pyodide for all tests: it takes seconds to start."""
    started = Pyodide(parts.pyodide(), installed)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    """Everything that this Python makes of the simulations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("here"))
        patch.setattr("labkit.net.programs.shutil.which", lambda *_, **__: None)  # a browser has no nginx to prove with
        return everything()

import importlib.util
import os

import pytest

from tests.net.conftest import _nothing_left  # noqa: F401  no thread of a lab server outlives its test

collect_ignore_glob = ["scripts/*"]  # they do their work as they are loaded: parity.py runs them


@pytest.fixture(autouse=True)
def _pycurl():
    """Skip where pycurl is absent; on CI it has to be there."""
    if importlib.util.find_spec("pycurl") is None and not os.environ.get("CI"):
        pytest.skip("needs pycurl")

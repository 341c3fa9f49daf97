import gc
import threading

import pytest


@pytest.fixture(autouse=True)
def _nothing_left(caplog):
    """No test of this room leaves a thread of the lab behind, nor makes asyncio complain."""
    yield
    gc.collect(1)  # a task whose error nobody asked for says so when it is collected
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("asyncio", "labkit"))] == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("labkit")] == []

"""Libraries that are oracles and come with an extra: absent ones skip a test, but never on CI."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

import pytest

__all__ = ["library"]


def library(name: str) -> ModuleType:
    """Return a module; where it is absent, skip the tests of whoever asks, and fail them on CI."""
    return import_module(name) if os.environ.get("CI") else pytest.importorskip(name)

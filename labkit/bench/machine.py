"""Where it was measured: the machine and the versions, which belong to every figure."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

__all__ = ["machine"]

_CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """Return the processor, the system and the versions of what was measured."""
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in ("http101-labkit", "h11", "websockets")},
    }


def _processor() -> str:
    """Return the processor's name; on Linux the kernel knows it best."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

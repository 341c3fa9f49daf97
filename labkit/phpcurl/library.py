"""The one door to pycurl, which is libcurl itself: the library behind PHP's cURL."""

from __future__ import annotations

from typing import Any

from labkit.errors import Absent
from labkit.net.machine import for_real

__all__ = ["libcurl"]


def libcurl() -> Any:
    """Return the module pycurl.

    Raises:
        Absent: it is not installed.
    """
    try:
        import pycurl  # noqa: PLC0415  optional, and loaded only where it is used
    except ImportError:
        for_real()
        raise Absent('pycurl is not installed: python -m pip install "http101-labkit[phpcurl]"') from None
    return pycurl

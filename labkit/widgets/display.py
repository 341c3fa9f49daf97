"""What a cell shows beyond its value: several outputs, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.errors import Absent

__all__ = ["publish"]

Bundle = tuple[Mapping[str, Any], Mapping[str, Any]]


def publish(*bundles: Bundle) -> None:
    """Show MIME bundles, each with its metadata, as outputs of the cell that runs.

    Raises:
        Absent: IPython is not installed, so there is no cell.
    """
    try:
        from IPython.display import publish_display_data  # noqa: PLC0415  optional
    except ImportError as error:
        raise Absent(
            "IPython is not installed here, and outside of a notebook there is no cell to show this in; in the folder "
            'of the repository: python -m pip install -c constraints.txt ".[notebooks]"'
        ) from error
    for data, metadata in bundles:
        publish_display_data(dict(data), dict(metadata))  # type: ignore[no-untyped-call]

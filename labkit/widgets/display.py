"""What a cell shows beyond its value: several outputs, one below the other."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from labkit.errors import Absent

__all__ = ["in_notebook", "publish"]

Bundle = tuple[Mapping[str, Any], Mapping[str, Any]]


def in_notebook() -> bool:
    """Tell whether a notebook's kernel runs this; IPython is not loaded to find out.

    >>> in_notebook()
    False
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def publish(*bundles: Bundle, display: str = "", again: bool = False) -> None:
    """Show MIME bundles, each with its metadata, as outputs of the cell that runs.

    Args:
        bundles: what is shown.
        display: a name for the output, so that it can be drawn again.
        again: draw what is shown by that name again, where it stands.

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
        how = {"transient": {"display_id": display}, "update": again} if display else {}
        publish_display_data(dict(data), dict(metadata), **how)  # type: ignore[no-untyped-call]

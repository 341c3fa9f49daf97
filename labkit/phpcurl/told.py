"""What a script told a handle, as far as PHP keeps it itself, and the streams it named."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["Callback", "Told", "Write", "put"]

Callback = Callable[..., Any]


class Write(Enum):
    """Where content goes (ext/curl, PHP_CURL_STDOUT and its like); the option that was set last decides."""

    STDOUT = "printed"
    RETURN = "returned by curl_exec"
    FILE = "written to a stream"
    USER = "given to a callback"


@dataclass
class Told:
    """What a script told a handle. A copied handle has a copy, a reset one a new one.

    Args:
        url: what to ask for.
        write: where content goes.
        file: the stream of CURLOPT_FILE.
        write_function: the callback of CURLOPT_WRITEFUNCTION.
        header_file: the stream of CURLOPT_WRITEHEADER; of it and the next, the one set last is kept.
        header_function: the callback of CURLOPT_HEADERFUNCTION.
        infile: the stream of CURLOPT_INFILE.
        read_function: the callback of CURLOPT_READFUNCTION.
        progress: the callback of CURLOPT_PROGRESSFUNCTION or CURLOPT_XFERINFOFUNCTION.
        no_progress: whether it is left uncalled (CURLOPT_NOPROGRESS); so it is unless told.
        verbose: whether to tell what happens (CURLOPT_VERBOSE).
        errors: the stream that is told (CURLOPT_STDERR); sys.stderr unless there is one.
        header_out: whether to keep the sent head (CURLINFO_HEADER_OUT).
        timeout: milliseconds for the whole transfer; 0 where the script set none.
        private: the value of CURLOPT_PRIVATE.
    """

    url: bytes = b""
    write: Write = Write.STDOUT
    file: Any = None
    write_function: Callback | None = None
    header_file: Any = None
    header_function: Callback | None = None
    infile: Any = None
    read_function: Callback | None = None
    progress: Callback | None = None
    no_progress: bool = True
    verbose: bool = False
    errors: Any = None
    header_out: bool = False
    timeout: int = 0
    private: object = False


def put(stream: Any, data: bytes) -> None:
    """Write bytes to a stream as they are; to one that takes texts only, such as a notebook's, as UTF-8.

    Args:
        stream: a file object; None is standard output, as it is at this moment.
        data: what to write.
    """
    stream = sys.stdout if stream is None else stream
    if not isinstance(stream, io.TextIOBase):
        stream.write(data)
        return
    below = getattr(stream, "buffer", None)
    if below is None:
        stream.write(data.decode("utf-8", "backslashreplace"))
        return
    stream.flush()
    below.write(data)
    below.flush()

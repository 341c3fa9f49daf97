"""The common case after the switch, by the shortest way: messages of one frame, masked, uncompressed, whole.

Everything else is the core's: `take_whole` stops before it, and a test holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C, where it was built

__all__ = ["apply_mask", "take_whole", "whole_frame", "whole_size"]

_TEXT, _BINARY = 0x81, 0x82  # with FIN


def take_whole(data: bytes, at: int, limit: int, add: Callable[[str | bytes], object]) -> int:
    """Read whole messages of `data` from `at` on, where a frame begins, and `add` each.

    Args:
        data: what a client sent.
        at: where a frame begins.
        limit: the most bytes of a message.
        add: takes a message.

    Returns:
        Where the first frame begins that is no such message, or not whole; or the end.

    >>> messages = []
    >>> take_whole(bytes.fromhex("818537fa213d7f9f4d5158 8180"), 0, 125, messages.append), messages
    (11, ['Hello'])
    """
    end = len(data)
    while end - at >= 6:
        first, length = data[at], data[at + 1] - 0x80
        if (first != _TEXT and first != _BINARY) or length < 0:  # noqa: PLR1714  the quicker way to ask
            break
        start = at + 6
        if length > 125:
            start += 2 if length == 126 else 8
            length = int.from_bytes(data[at + 2 : start - 4], "big")
        if length > limit or end < start + length:
            break
        payload = apply_mask(data[start : start + length], data[start - 4 : start])
        if first == _TEXT:
            try:
                add(payload.decode())
            except UnicodeDecodeError:
                break
        else:
            add(payload)
        at = start + length
    return at


def whole_size(data: bytes | bytearray) -> int:
    """Return how many bytes a client's frame has, of which this is the beginning; or a part of them, if it is short.

    >>> whole_size(bytes.fromhex("8185")), whole_size(bytes.fromhex("81fe")), whole_size(b"")
    (11, 4, 2)
    """
    length = data[1] & 0x7F if len(data) > 1 else -4
    if length < 126:
        return 6 + length
    start = 8 if length == 126 else 14
    return start - 4 if len(data) < start - 4 else start + int.from_bytes(data[2 : start - 4], "big")


def whole_frame(data: bytes, *, text: bool) -> bytes:
    """Return a message as a server's frame, in the shortest length form (RFC 6455, 5.2).

    >>> whole_frame(b"Hello", text=True).hex(" ")
    '81 05 48 65 6c 6c 6f'
    """
    first, length = _TEXT if text else _BINARY, len(data)
    if length < 126:
        return b"%c%c%b" % (first, length, data)
    if length < 1 << 16:
        return b"%c\x7e%b%b" % (first, length.to_bytes(2, "big"), data)
    return b"%c\x7f%b%b" % (first, length.to_bytes(8, "big"), data)

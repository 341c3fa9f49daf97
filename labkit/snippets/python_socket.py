"""An offer as a Python program with nothing but a socket: any bytes, any cut, and frames made by hand."""

from __future__ import annotations

from itertools import pairwise

from labkit.parties.offer import Offer
from labkit.parties.stream import Fragments, Message
from labkit.snippets import literals
from labkit.snippets.wanted import KEY, PATIENCE, Wanted, Written, is_sample, parts_of
from labkit.wire.fields import text_bytes
from labkit.wire.upgrade import Protocol

__all__ = ["write"]

_OWN_PROGRAMS = ("h2c", "tls")  # what is said behind these takes a library

_IMPORTED = ("base64", "hashlib", "os", "socket", "ssl", "time", "zlib")

_DRAW = "key = base64.b64encode(os.urandom(16))  # fresh for each connection (RFC 6455, 4.1)\n"

_FRAME = '''

def frame(first, data):
    """Return a frame, masked as all of a client's are (RFC 6455, 5.2)."""
    size, mask = len(data), os.urandom(4)
    longer = (126, 2) if size < 65536 else (127, 8)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | longer[0]]) + size.to_bytes(longer[1], "big")
    return bytes([first]) + length + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def answer(reader):
    """Return the first byte of the next frame, and its data."""
    begin = reader.read(2)
    if len(begin) < 2:
        raise SystemExit("The server said no more.")
    first, size = begin
    if size > 125:
        size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
    return first, reader.read(size)
'''

_INFLATED = '''

inflating = zlib.decompressobj(-15)


def inflated(first, data):
    """Return the same, less its compression (RFC 7692, 7.2.2)."""
    return first, inflating.decompress(data + b"\\x00\\x00\\xff\\xff") if first & 0x40 else data
'''

_EXCHANGE = """

def main():
    with {opened} as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("Sent:", request)
{send}        reader = connection.makefile("rb")
        status = b"100"
        while status.startswith(b"1") and status != b"101":  # any other 1xx comes before the answer (RFC 9110, 15.2)
            head = [reader.readline(65536)]
            while head[-1].strip() and len(head) < 200:
                head.append(reader.readline(65536))
            print(b"".join(head).decode("ascii", "backslashreplace"))
            status = head[0][9:12]
        if status != b"101":
            print("No switch.")
            return
{talk}

try:
    main()
except OSError as error:
    raise SystemExit(f"Failed: {{error}}")
"""

_CUT = """        for piece in ({pieces}):
            connection.sendall(piece)
            time.sleep(0.02)  # each goes by itself
"""

_ACCEPT = """        lines = [line.partition(b":") for line in head[1:]]
        fields = {name.lower(): value.strip() for name, _, value in lines}
        proof = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        if fields.get(b"sec-websocket-accept") != proof:  # RFC 6455, 4.1
            raise SystemExit("The Accept is not that of the key.")
        print("Switched: the Accept is right.")
"""

_TALK = """        for first, data in {frames}:
            connection.sendall(frame(first, data))
            if first & 0x80:  # the message ends here: the answer to it comes
                print("Answer: %#x %r" % {answer})
"""

_CLOSE = """        connection.sendall(frame(0x88, (1000).to_bytes(2, "big")))  # Close
        print("Closed: %#x %r" % answer(reader))
"""

_RAW = """        for data in {messages}:
            connection.sendall(data)
            print("Answer:", reader.read1(65536))
"""

_SWITCHED = """        print("Switched.")
"""


def write(wanted: Wanted) -> Written:
    """Print an offer, and what is said after it, as a program of the standard library alone."""
    offer = wanted.offer
    proof = _proof(offer)
    talk, left = _talk(wanted)
    code = [
        _key(offer, proof=proof),
        "request = (\n" + "".join(f"    {piece}\n" for piece in _pieces(offer)) + ")\n",
        _FRAME if "frame(" in talk else "",
        _INFLATED if "inflated(" in talk else "",
        _EXCHANGE.format(opened=_opened(wanted), send=_send(offer), talk=(_ACCEPT if proof else _SWITCHED) + talk),
    ]
    text = "".join(code)
    imports = "".join(f"import {name}\n" for name in _IMPORTED if f"{name}." in text)
    handler = ("what the handler says: it is code for the lab's own streams",) if wanted.handled else ()
    return Written(f"{imports}\n{text}", (), (*left, *handler))


def _keys(offer: Offer) -> list[str]:
    return offer.head.fields.all(KEY)


def _proof(offer: Offer) -> bool:
    """Tell whether the Accept of the answer can be checked: a WebSocket was asked for, with one key."""
    return _frames(offer) and len(_keys(offer)) == 1


def _frames(offer: Offer) -> bool:
    names = {Protocol.parse(each).name.lower() for each in offer.protocols}
    return names == {"websocket"}


def _drawn(offer: Offer) -> bool:
    return offer.raw is None and any(map(is_sample, offer.fields))


def _key(offer: Offer, *, proof: bool) -> str:
    """Return the line that has the key: drawn where it is the RFC's own; none where nothing asks for it."""
    if _drawn(offer):
        return _DRAW
    return f"key = {literals.python(text_bytes(_keys(offer)[0]))}\n" if proof else ""


def _pieces(offer: Offer) -> list[str]:
    """Return the request as expressions, a line each, that joined are its bytes."""
    if offer.raw is not None:
        return [literals.python(line) for line in offer.raw.splitlines(keepends=True)] or ['b""']
    lines = [f"{offer.method} {offer.target} {offer.version}\r\n"]
    pieces = [literals.python(text_bytes(line)) for line in lines]
    for name, value in offer.fields:
        if is_sample((name, value)):
            pieces.append(f'{literals.python(text_bytes(f"{name}: "))} + key + b"\\r\\n"')
        else:
            pieces.append(literals.python(text_bytes(f"{name}: {value}\r\n")))
    pieces.append(literals.python(b"\r\n"))
    behind = [(offer.content, "the content"), (offer.early, "without waiting for the answer")]
    return [*pieces, *(f"{literals.python(data)}  # {what}" for data, what in behind if data)]


def _send(offer: Offer) -> str:
    if not offer.cuts:
        return "        connection.sendall(request)\n"
    places = ["", *map(str, offer.cuts), ""]
    return _CUT.format(pieces=", ".join(f"request[{start}:{end}]" for start, end in pairwise(places)))


def _opened(wanted: Wanted) -> str:
    host = literals.python(wanted.to.host)
    plain = f"socket.create_connection(({host}, {wanted.to.port}), timeout={PATIENCE})"
    if not wanted.to.tls:
        return plain
    return f"ssl.create_default_context().wrap_socket({plain}, server_hostname={host})"


def _talk(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """Return what is done after a 101, and what is left out of it."""
    offer = wanted.offer
    deflate = any(
        each.startswith("permessage-deflate") for each in offer.head.fields.elements("Sec-WebSocket-Extensions")
    )
    if _frames(offer):
        answer = "inflated(*answer(reader))" if deflate else "answer(reader)"
        frames = ", ".join(
            f"({first:#04x}, {literals.python(data)})" for each in wanted.say for first, data in _cut(each)
        )
        said = _TALK.format(frames=f"[{frames}]", answer=answer) if frames else ""
        return said + _CLOSE, ()
    names = {Protocol.parse(each).name.lower() for each in offer.protocols}
    if not wanted.say or not names:
        return "", ()
    if names & {"websocket", *_OWN_PROGRAMS}:
        return "", (f"what is said after the 101: {', '.join(sorted(names))} takes more than a few lines",)
    messages = [b"".join(data for _, data in _cut(each)) for each in wanted.say]
    return _RAW.format(messages=literals.python(messages)), ()


def _cut(message: Message | Fragments) -> list[tuple[int, bytes]]:
    """Return the frames of a message: the first byte of each, and its data (RFC 6455, 5.4)."""
    parts = parts_of(message)
    data = [part.encode() if isinstance(part, str) else part for part in parts]
    opcode = 1 if isinstance(parts[0], str) else 2
    last = len(data) - 1
    return [((0x80 if at == last else 0) | (0 if at else opcode), part) for at, part in enumerate(data)]

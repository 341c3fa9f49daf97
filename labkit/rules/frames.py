"""Rules of WebSocket frames and messages (RFC 6455, 5 to 8; RFC 7692, 6 and 7.2).

What a frame must be is its sender's to keep; what must become of a wrong one, its recipient's. That a
recipient took a wrong frame is said only where a later answer proves that it went on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from labkit.dissection.frames import FrameFault as F
from labkit.rules.evidence import Spoken
from labkit.rules.origin import each_recipient, each_sender
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.wire.websocket import SAMPLE_MASK

__all__ = ["FRAMES", "sent"]

_SEEN = {
    F.RESERVED_OPCODE: "a frame with a reserved opcode",
    F.RESERVED_BIT: "a frame with a reserved bit that nothing agreed gives a meaning",
    F.COMPRESSED_BIT: "RSV1 on a frame that begins no message",
    F.FRAGMENTED_CONTROL: "a control frame without FIN",
    F.NOT_MASKED: "a client's frame without a mask",
    F.MASKED: "a server's frame with a mask",
    F.LONG_CONTROL: "a control frame with more than 125 bytes",
    F.LONG_FORM: "a length in a longer form than it needs",
    F.HIGHEST_BIT: "a 64-bit length with its highest bit set",
    F.NO_MESSAGE: "a continuation, and no message to continue",
    F.INTERLEAVED: "a new message before the last fragment of the one before it",
    F.BAD_TEXT: "a text message that is not UTF-8",
    F.BROKEN: "a compressed message that does not inflate",
}


def sent(seen: Callable[[Spoken, int, F], str], *faults: F) -> Check:
    """Return the check of a sender: no frame of its has one of these faults, which `seen` puts into words."""

    @each_sender
    def check(spoken: Spoken) -> Iterator[Sighting]:
        for place, found in spoken.part.faults.items():
            for fault in found:
                if fault in faults:
                    yield spoken.frame(place, seen(spoken, place, fault))

    return check


def _sent(*faults: F) -> Check:
    return sent(lambda *sight: _SEEN[sight[-1]], *faults)


def _taken(*faults: F) -> Check:
    """Return the check of a recipient: it does not go on after a frame with one of these faults."""

    @each_recipient
    def check(spoken: Spoken) -> Iterator[Sighting]:
        first = next(((place, found) for place, found in spoken.part.faults.items() if {*found} & {*faults}), None)
        if first is None:
            return
        place, found = first
        proof = spoken.went_on(place)
        if proof is not None:
            fault = next(fault for fault in found if fault in faults)
            yield spoken.of_other(proof, f"it went on after {_SEEN[fault]}: this answers what came with it or later")

    return check


@each_sender
def _mask(spoken: Spoken) -> Iterator[Sighting]:
    if not spoken.by_client:
        return
    for place, found in spoken.part.faults.items():
        if F.NOT_MASKED in found:
            yield spoken.frame(place, "a frame without a mask")
    data = spoken.part.data
    keys = [(frame.masking_key(data) if frame.payload <= frame.end else b"") for frame in spoken.part.frames]
    if SAMPLE_MASK in keys:
        yield spoken.frame(keys.index(SAMPLE_MASK), "the masking key of RFC 6455's own example", note=True)
    place = 0
    for key, run in groupby(keys):
        many = sum(1 for _ in run)
        if key and many > 2:  # two alike may be chance
            yield spoken.frame(place + 2, f"the same masking key on {many} frames in a row")
        place += many


FRAMES: tuple[Rule, ...] = (
    Rule(
        "X01", Who.CLIENT, "RFC 6455, 5.1, 5.3", Level.MUST,
        "A client masks every frame, each with a fresh key that nobody can predict.",
        mend="draw four random bytes for each frame, and mask the payload with them", check=_mask,
    ),
    Rule(
        "X02", Who.SERVER, "RFC 6455, 5.1", Level.MUST,
        "A server closes the connection when a frame comes that is not masked.",
        mend="fail the connection, with 1002 if a Close is sent", check=_taken(F.NOT_MASKED),
    ),
    Rule(
        "X03", Who.SERVER, "RFC 6455, 5.1", Level.MUST_NOT,
        "A server does not mask its frames.",
        mend="send the payload as it is, with the MASK bit 0", check=_sent(F.MASKED),
    ),
    Rule(
        "X14", Who.CLIENT, "RFC 6455, 5.1", Level.MUST,
        "A client closes the connection when a masked frame comes.",
        mend="fail the connection, with 1002 if a Close is sent", check=_taken(F.MASKED),
    ),
    Rule(
        "X04", Who.SENDER, "RFC 6455, 5.2", Level.MUST,
        "The reserved bits are 0 unless an extension that was agreed on says what they mean.",
        mend="leave the reserved bits 0, or agree on the extension in the opening handshake",
        check=_sent(F.RESERVED_BIT),
    ),
    Rule(
        "X15", Who.RECIPIENT, "RFC 6455, 5.2", Level.MUST,
        "Who gets a reserved bit that no agreed extension explains fails the connection.",
        mend="fail the connection, with 1002 if a Close is sent", check=_taken(F.RESERVED_BIT),
    ),
    Rule(
        "X16", Who.SENDER, "RFC 6455, 5.2, 5.8", Level.MUST_NOT,
        "The opcodes 3 to 7 and 11 to 15 are reserved: nobody uses them without an extension that was agreed on.",
        mend="use the opcodes 0, 1, 2, 8, 9 and 10", check=_sent(F.RESERVED_OPCODE),
    ),
    Rule(
        "X17", Who.RECIPIENT, "RFC 6455, 5.2", Level.MUST,
        "Who gets a frame with an opcode that it does not know fails the connection.",
        mend="fail the connection, with 1002 if a Close is sent", check=_taken(F.RESERVED_OPCODE),
    ),
    Rule(
        "X05", Who.SENDER, "RFC 6455, 5.2", Level.MUST,
        "The payload's length is written in the shortest of its three forms.",
        mend="write lengths up to 125 in 7 bits, up to 65,535 in 2 bytes more, greater ones in 8",
        check=_sent(F.LONG_FORM),
    ),
    Rule(
        "X18", Who.SENDER, "RFC 6455, 5.2", Level.MUST,
        "The highest bit of a length of 8 bytes is 0.",
        mend="write the length as an unsigned number below 2 to the power of 63", check=_sent(F.HIGHEST_BIT),
    ),
    Rule(
        "X06", Who.SENDER, "RFC 6455, 5.5", Level.MUST,
        "A control frame carries 125 bytes at the most.",
        mend="shorten the payload to 125 bytes, the reason of a Close to 123", check=_sent(F.LONG_CONTROL),
    ),
    Rule(
        "X19", Who.SENDER, "RFC 6455, 5.4, 5.5", Level.MUST_NOT,
        "A control frame is not sent in fragments.",
        mend="send it whole, with FIN set", check=_sent(F.FRAGMENTED_CONTROL),
    ),
    Rule(
        "X07", Who.RECIPIENT, "RFC 6455, 5.4", Level.MUST,
        "Everybody can read messages in one frame and in fragments, and control frames between the fragments.",
        reason="What a party is able to read is not on the wire; one that closes may have another cause.",
    ),
    Rule(
        "X20", Who.SENDER, "RFC 6455, 5.4", Level.MUST_NOT,
        "The fragments of one message do not stand between those of another.",
        mend="send the last fragment, with FIN set, before the next message begins", check=_sent(F.INTERLEAVED),
    ),
    Rule(
        "X21", Who.SENDER, "RFC 6455, 5.4", Level.MUST,
        "A message begins with a text or binary frame; a continuation goes on with one that was begun.",
        mend="give the first frame of a message the opcode 1 or 2", check=_sent(F.NO_MESSAGE),
    ),
    Rule(
        "X22", Who.SENDER, "RFC 6455, 5.4", Level.MAY,
        "A message of data may be sent in fragments of any size.",
    ),
    Rule(
        "X23", Who.PROXY, "RFC 6455, 5.4", Level.MUST_NOT,
        "Who does not know every extension that was agreed on leaves the fragments of messages as they are.",
        reason="Which extensions a proxy knows is not on the wire.",
    ),
    Rule(
        "X24", Who.SENDER, "RFC 6455, 5.6", Level.MUST,
        "A text message, its fragments joined, is valid UTF-8.",
        mend="send the text in UTF-8, or the bytes as a binary message", check=_sent(F.BAD_TEXT),
    ),
    Rule(
        "X11", Who.RECIPIENT, "RFC 6455, 8.1", Level.MUST,
        "Who is to read text and finds that it is not UTF-8 fails the connection.",
        mend="fail the connection, with 1007 if a Close is sent", check=_taken(F.BAD_TEXT),
    ),
    Rule(
        "X13", Who.RECIPIENT, "RFC 6455, 10.4", Level.MUST,
        "Who can only take frames or messages of some size protects itself against bigger ones.",
        reason="What a party is able to take is not on the wire.",
    ),
    Rule(
        "X25", Who.SENDER, "RFC 7692, 6.1", Level.MUST_NOT,
        "RSV1, the mark of a compressed message, is set on no control frame and on no fragment but the first.",
        mend="set RSV1 on the first frame of the message alone", check=_sent(F.COMPRESSED_BIT),
    ),
    Rule(
        "X26", Who.RECIPIENT, "RFC 7692, 6.1", Level.MUST,
        "Who gets RSV1 on a control frame, or on a fragment that is not the first, fails the connection.",
        mend="fail the connection, with 1002 if a Close is sent", check=_taken(F.COMPRESSED_BIT),
    ),
    Rule(
        "X27", Who.SENDER, "RFC 7692, 6.1, 7.2.1", Level.MUST,
        "A compressed message is DEFLATE as it was agreed: within the window, and with a fresh one if so agreed.",
        mend="compress with the parameters of the 101, and take the last four bytes off", check=_sent(F.BROKEN),
    ),
)  # fmt: skip

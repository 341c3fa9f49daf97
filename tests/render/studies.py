"""Studies as `labkit.bench` makes them, with figures made up: the same on every machine."""

from __future__ import annotations

from labkit.measured import Measurement, Study

MACHINE = {"processor": "2 × Some Processor 7R13", "system": "Linux-6.1-x86_64", "python": "CPython 3.11.7"}
SIZES = (1, 64, 1024, 16384, 131072, 1 << 20)
RATES = {
    "new-connection": 1500.0, "keep-alive": 7000.0, "long-polling": 4200.0, "server-sent-events": 14000.0,
    "websocket-text": 21000.0, "websocket-binary": 22500.0, "websocket-deflate": 12000.0, "raw": 30000.0,
}  # fmt: skip
_ROUNDS = (1.03, 0.94, 1.0, 1.08, 0.99, 0.97, 1.01)


def study(name: str, *measurements: Measurement, **more: object) -> Study:
    return Study(name, measurements, MACHINE, "2026-11-28", **more)


def rounds(value: float) -> tuple[float, ...]:
    return tuple(value * each for each in _ROUNDS)


def throughput() -> Study:
    found = []
    for way, rate in RATES.items():
        for size in SIZES:
            value = 1 / (1 / rate + size / (2e8 if way == "websocket-deflate" else 9e8))
            found.append(Measurement("messages", "/s", rounds(value), way, "", size))
            found.append(Measurement("bytes", "B/s", rounds(value * size), way, "", size))
        found += [Measurement("messages", "/s", rounds(rate * 1.3), way, "", 64, many) for many in (10, 200)]
    for way in ("keep-alive", "websocket-text"):
        for via, part in (("embedded", 0.3), ("nginx", 0.55), ("apache", 0.42)):
            found.append(Measurement("messages", "/s", rounds(RATES[way] * part), way, via, 64))
    return study("throughput", *found)


def latency(many: int = 400) -> Study:
    """Skewed, as times are; one in forty takes much longer."""
    found = []
    for way, rate in RATES.items():
        places = [(number * 0.618034) % 1 for number in range(many)]
        times = (
            1500 / rate * (0.7 + place**2 + (6 * place if not number % 40 else 0))
            for number, place in enumerate(places)
        )
        found.append(Measurement("round trip", "ms", tuple(times), way, "", 64))
    return study("latency", *found)


def overhead() -> Study:
    beside = {"new-connection": 424, "keep-alive": 310, "long-polling": 320, "server-sent-events": 210, "raw": 0}
    found = []
    for way in RATES:
        for size in SIZES:
            frames = 2 * (2 if size < 126 else 4 if size < 65536 else 10) + 4
            found.append(Measurement("on the wire", "B", (float(beside.get(way, frames)),), way, "", size))
        found.append(Measurement("handshake", "B", (0.0 if way in ("new-connection", "keep-alive") else 330.0,), way))
    return study("overhead", *found)


def handshakes() -> Study:
    parts = (("", 1.0), ("embedded", 0.4), ("nginx", 0.6), ("apache", 0.5))
    ways = (("new-connection", 1900), ("websocket-text", 1700))
    return study(
        "handshakes", *(Measurement("handshakes", "/s", rounds(v * p), w, via) for w, v in ways for via, p in parts)
    )


def duplex() -> Study:
    ways = (("keep-alive", 1.2e8), ("websocket-binary", 5e8), ("raw", 9e8))
    sides = (("to the server", 1.0), ("to the client", 1.1))
    return study("duplex", *(Measurement(d, "B/s", rounds(v * f), w, "", 16384) for w, v in ways for d, f in sides))


def switch() -> Study:
    at = tuple(number / 20 - 1.5 for number in range(60))
    values = tuple((8e6 if each < 0 else 3.2e7) * _ROUNDS[number % 7] for number, each in enumerate(at))
    return study("switch", Measurement("to the client", "B/s", values, "websocket-text", "", 1024, 1, at))


def tap() -> Study:
    found = (
        Measurement("messages", "/s", rounds(value), "websocket-text", via, 64)
        for via, value in (("", 21000.0), ("tap", 9000.0))
    )
    return study("tap", *found, quick=True, note="broken off after 2 of 7 rounds")


def unknown() -> Study:
    """Of another name, with quantities of other names, and one long one."""
    long = "a parser of somebody else's, with a long name"
    return Study("other", (Measurement("ours", "ms", (3.0, 1.0, 2.5)), Measurement(long, "ms", (5.0, 6.0))))

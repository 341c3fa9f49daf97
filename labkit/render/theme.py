"""The one visual language: colours, type, line weights and spacing of everything the lab draws.

Colours are Okabe and Ito's, which people with any colour vision tell apart; reddish purple and
vermillion are darkened on white, so that lines have a contrast of 3 to 1 and text of 4.5 to 1 (WCAG
2.2, 1.4.3 and 1.4.11; a test computes it). Colour never stands alone: a party has its shape and its
name, what is wrong its sign and its words: vermillion for a MUST and for any fault, yellow (an olive on
white) for a SHOULD, and ink for a note. No level has the colour of a party.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from labkit.render.measure import columns

__all__ = ["DARK", "LIGHT", "MONO", "NAMED", "SANS", "Theme", "contrast", "mono_width", "sans_width", "variables"]

SANS = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours, light or dark.

    Args:
        ground: the background.
        zone: the background of what follows the seam.
        ink: text and the step numbers' ground.
        soft: text of less weight.
        line: lifelines.
        client, proxy, server: a party's lines.
        client_ground, proxy_ground, server_ground: a party's box.
        fault: what is wrong, as lines and as text; also a MUST that is broken.
        should: a SHOULD that is broken.
        note: what is worth knowing and breaks nothing.
    """

    ground: str
    zone: str
    ink: str
    soft: str
    line: str
    client: str
    proxy: str
    server: str
    client_ground: str
    proxy_ground: str
    server_ground: str
    fault: str
    should: str
    note: str

    def party(self, role: str) -> tuple[str, str]:
        """Return the line colour and the ground of a role: "client", "proxy" or "server"."""
        return {
            "client": (self.client, self.client_ground),
            "proxy": (self.proxy, self.proxy_ground),
            "server": (self.server, self.server_ground),
        }[role]

    def level(self, name: str) -> str:
        """Return the colour of a level: "must", "should" or "note"."""
        return {"must": self.fault, "should": self.should, "note": self.note}[name]

    @property
    def series(self) -> tuple[str, ...]:
        """The colours of eight ways of talking in a plot; neighbours differ in grey, too, and each has a marker."""
        return _SERIES_ON_DARK if self.ground == DARK.ground else _SERIES

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every pair of text colour and ground that is drawn."""
        boxes = (self.client_ground, self.proxy_ground, self.server_ground)
        inks = (self.ink, self.soft, self.fault, self.should, self.note)
        on_both = [(text, ground) for text in inks for ground in (self.ground, self.zone)]
        return (*on_both, *((self.ink, box) for box in boxes), (self.ground, self.ink))

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """Every pair of line colour and ground that carries meaning."""
        colours = (self.client, self.proxy, self.server, self.fault, self.should, self.note)
        tubes = tuple((colour, self.proxy_ground) for colour in (self.client, self.proxy, self.server))
        return (*((colour, ground) for colour in colours for ground in (self.ground, self.zone)), *tubes)


LIGHT = Theme(
    ground="#ffffff", zone="#f3f7fb", ink="#1b2733", soft="#55616d", line="#b4bec8",
    client="#0072b2", proxy="#b0578a", server="#008a64",
    client_ground="#e3f1fa", proxy_ground="#f8e9f2", server_ground="#e0f4ee", fault="#b34700",
    should="#6e6300", note="#1b2733",
)  # fmt: skip
DARK = Theme(
    ground="#14181d", zone="#1b222a", ink="#e8eaed", soft="#a9b3bd", line="#4d5863",
    client="#56b4e9", proxy="#cc79a7", server="#1fb58a",
    client_ground="#15303f", proxy_ground="#3a2432", server_ground="#10342a", fault="#e69f00",
    should="#f0e442", note="#e8eaed",
)  # fmt: skip

# Asking (vermillion, orange), waiting (olive, purple), WebSocket (three blues), raw bytes (green).
_SERIES = ("#bf4a00", "#c98200", "#4d4500", "#c4689e", "#0072b2", "#3594d1", "#1b2733", "#008a64")
_SERIES_ON_DARK = ("#f0824a", "#f5bd41", "#80752c", "#e6a5cb", "#3f9fdc", "#9ed8fa", "#e8eaed", "#1fb58a")

NAMED = Theme(**{each.name: f"var(--lk-{each.name.replace('_', '-')})" for each in fields(Theme)})
"""The colours by the names of their CSS variables, for a page that changes between light and dark."""


def variables(theme: Theme) -> str:
    """Return the CSS declarations that give `NAMED` the colours of a theme, and the type.

    >>> variables(DARK).splitlines()[0]
    '--lk-ground: #14181d;'
    """
    colours = [f"--lk-{each.name.replace('_', '-')}: {getattr(theme, each.name)};" for each in fields(theme)]
    return "\n".join([*colours, f"--lk-sans: {SANS};", f"--lk-mono: {MONO};"])


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


_MONO_ADVANCE = 0.625  # of the size: a little more than the widest common monospaced font takes
_NARROW = frozenset("ijltfrI.,:;'|!()[]{}/\\ -")
_BROAD = frozenset("mwMW@%—…→←–")


def mono_width(text: str, size: float) -> float:
    """Return at most how wide `text` is in a monospaced font of `size` pixels."""
    return columns(text) * _MONO_ADVANCE * size


def sans_width(text: str, size: float) -> float:
    """Return at most how wide `text` is in a bold sans-serif font of `size` pixels, by kinds of letters.

    >>> sans_width("ill", 10) < sans_width("WWW", 10)
    True
    """
    width = 0.0
    for char in text:
        width += _advance(char)  # not `sum`: from Python 3.12 on it adds more exactly, and pictures would differ
    return width * size


def _advance(char: str) -> float:
    if char in _NARROW:
        return 0.48
    if char in _BROAD or not char.isascii():
        return 1.12
    return 0.84 if char.isupper() else 0.72

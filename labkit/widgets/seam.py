"""The seam in a notebook: all cuts of an answer in a strip, and a slider over the cut."""

from __future__ import annotations

from labkit.errors import WrongUse
from labkit.reads import Reader, Seam, mended, naive
from labkit.render.reads import Picture, one_cut, strip
from labkit.trace import Trace
from labkit.widgets.controls import box, html, show, slide
from labkit.widgets.display import publish
from labkit.widgets.results import style

__all__ = ["Cuts", "seam"]

_ONE_OF_BOTH = (
    "<style>.jp-OutputArea-child:has(.labkit-twin):has(+ .jp-OutputArea-child .labkit-cut) { display: none; } "
    ".jp-OutputArea-child:has(.labkit-twin) + .jp-OutputArea-child:not(:has(.labkit-cut)) { display: none; }</style>"
)


def seam(trace: Trace, *readers: Reader) -> Cuts:
    """Cut the answer of a trace at every place, and show what becomes of the first frame behind the 101.

    Args:
        trace: what crossed; the server speaks first, so that a frame stands behind the 101.
        readers: functions of `recv` that read the answer and return the bytes of the new protocol; `naive` and
            `mended` of `labkit.reads` unless told.

    Raises:
        WrongUse: no frame stands behind a 101, or a reader is no function.

    >>> import labkit
    >>> greeting = labkit.simulate(labkit.Scenario(say=[], server=labkit.Server(faults=["early-frame"])))
    >>> print(seam(greeting, naive))
    The answer cut at each of 136 places. naive: ✓ 1 of 136: the frame arrives; ✗ 129: the frame is lost; \
≠ 6: begins inside the frame
    <BLANKLINE>
    reader  at how many places of the cut
    naive   ✓ 1 of 136: the frame arrives; ✗ 129: the frame is lost; ≠ 6: begins inside the frame
    """
    return Cuts(Seam.of(trace), readers or (naive, mended))


class Cuts:
    """An answer, and the readers that are held against every cut of it; the last line of a cell shows the strip."""

    def __init__(self, found: Seam, readers: tuple[Reader, ...]) -> None:
        for reader in readers:
            if not callable(reader):
                raise WrongUse(f"a reader is a function of recv, not {reader!r}")
        self.seam = found
        self.readers = {_name(reader, number): reader for number, reader in enumerate(readers, 1)}

    @property
    def arrives(self) -> dict[str, int]:
        """At how many places of the cut the frame arrives, by the reader's name."""
        every = {name: self.seam.every(reader) for name, reader in self.readers.items()}
        return {name: sum(each.kind == "all" for each in readings) for name, readings in every.items()}

    def at(self, place: int) -> Picture:
        """Return the picture of one cut.

        Raises:
            WrongUse: there is no such place.
        """
        return one_cut(self.seam, place, {name: self.seam.read(each, place) for name, each in self.readers.items()})

    def slider(self, place: int | None = None) -> Slider:
        """Return a slider over the cut; it begins at the seam unless told.

        Raises:
            WrongUse: there is no such place.
        """
        place = self.seam.at if place is None else place
        self.seam.cut(place)
        return Slider(self, place)

    def _picture(self) -> Picture:
        return strip(self.seam, {name: self.seam.every(reader) for name, reader in self.readers.items()})

    def __str__(self) -> str:
        return self._picture().text()

    def __repr__(self) -> str:
        return f"<Cuts {', '.join(self.readers)}: {len(self.seam.places)} places>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        picture = self._picture()
        return {"text/plain": picture.text(), "text/html": picture.html()}


class Slider:
    """A slider over the cut, and the picture of it; what a viewer without widgets shows is where it begins.

    Raises:
        Absent: ipywidgets is not installed.
    """

    def __init__(self, cuts: Cuts, place: int) -> None:
        self._cuts = cuts
        self._begun = place
        self._html = html("")
        last = cuts.seam.places[-1]
        self.knob = slide("The first read ends at byte", (1, last), place, self._turned)
        self.box = box([html(style()), self.knob.box, self._html], "labkit-workbench labkit-cut")
        self._turned()

    def _turned(self) -> None:
        picture = self._cuts.at(self.knob.value)
        both = "".join(
            picture.image(dark=dark).replace("<img ", f'<img class="labkit-{name}" ')
            for name, dark in (("light", False), ("dark", True))
        )
        self._html.value = f'<figure role="status">{both}</figure>'

    def __repr__(self) -> str:
        return f"<Slider {self._begun}>"

    def __str__(self) -> str:
        return self._cuts.at(self._begun).text()

    def _ipython_display_(self) -> None:
        picture = self._cuts.at(self._begun)
        more = "<p>Run this cell for the slider over the cut.</p>"
        static = f'<div class="labkit-twin">{_ONE_OF_BOTH}\n{picture.html()}{more}</div>\n'
        publish(({"text/html": static, "text/plain": picture.text()}, {}), (show(self.box), {}))


def _name(reader: Reader, number: int) -> str:
    name = getattr(reader, "__name__", "reader")
    return f"reader {number}" if name == "<lambda>" else name

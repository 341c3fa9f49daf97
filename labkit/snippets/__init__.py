"""Copy as: an offer, or a whole scenario, as a program of another client, to be taken elsewhere.

    Offer ─────┐                 curl · php · websockets · socket · javascript
               ├─▶ snippet() ─▶ the text, what its client adds to the offer, what it leaves out
    Scenario ──┘

What a client cannot send is refused by name, never changed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import curl, javascript, php, python_socket, python_websockets
from labkit.snippets.wanted import Wanted, Written, wanted

__all__ = ["FORMS", "Form", "Snippet", "snippet"]


@dataclass(frozen=True, slots=True)
class Form:
    """A way to print an offer.

    Args:
        language: its language, as a fenced block of Markdown names it.
        write: prints it.
    """

    language: str
    write: Callable[[Wanted], Written]


FORMS: dict[str, Form] = {
    "curl": Form("bash", curl.write),
    "php": Form("php", php.write),
    "websockets": Form("python", python_websockets.write),
    "socket": Form("python", python_socket.write),
    "javascript": Form("javascript", javascript.write),
}
"""Every form that an offer can be copied as."""


@dataclass(frozen=True)
class Snippet:
    """A printed program. As a text it is the program alone, ready to be copied.

    Args:
        form: a key of `FORMS`.
        text: the program.
        adds: what its client adds to the offer, or writes in another way.
        leaves_out: what is not carried over.
    """

    form: str
    text: str
    adds: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Snippet {self.form}: {len(self.text.splitlines())} lines>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self._plain(), "text/markdown": self._markdown()}

    def _lists(self) -> list[tuple[str, tuple[str, ...]]]:
        lists = [(f"Added by {self.form}:", self.adds), ("Left out:", self.leaves_out)]
        return [(title, each) for title, each in lists if each]

    def _plain(self) -> str:
        lists = ["\n".join([title, *(f"  {line}" for line in each)]) for title, each in self._lists()]
        return "\n\n".join([self.text.rstrip("\n"), *lists])

    def _markdown(self) -> str:
        runs = [len(run) for run in re.findall("`+", self.text)]
        fence = "`" * max([3, *(run + 1 for run in runs)])
        block = f"{fence}{FORMS[self.form].language}\n{self.text.rstrip(chr(10))}\n{fence}"
        lists = ["\n".join([title, "", *(f"- `{line}`" for line in each)]) for title, each in self._lists()]
        return "\n\n".join([block, *lists])


def snippet(what: Offer | Scenario, form: str, url: str = "", key: str = "") -> Snippet:
    """Print an offer, or a scenario with what its client says, as a program of another client.

    Programs of PHP and Python draw a fresh key themselves in the place of the RFC's own, and a browser
    always does; a command line cannot.

    Args:
        what: the offer, or the scenario.
        form: a key of `FORMS`.
        url: where to dial: ws, wss, http or https; the host of the Host field unless told. Host stays as it is
            offered, whatever is dialled, and so does the target.
        key: for a command line, what stands in the place of the RFC's own key.

    Raises:
        WrongUse: there is no such form, or its client cannot send this offer; what it cannot send is named, and
            the forms that can.

    >>> print(snippet(Offer.bare("/path", host="example.com"), "curl"))
    curl -i --max-time 2 -H 'Upgrade: websocket' -H 'Connection: Upgrade' http://example.com/path
    """
    if form not in FORMS:
        raise WrongUse(f"form is one of {', '.join(FORMS)}; not {form!r}")
    needed = wanted(what, url, key if form == "curl" else "")
    try:
        written = FORMS[form].write(needed)
    except WrongUse as error:
        able = [name for name in FORMS if name != form and _can(name, needed)]
        raise WrongUse(f"{error}; copy it as {' or '.join(able)}") from None
    return Snippet(form, *written)


def _can(form: str, needed: Wanted) -> bool:
    try:
        FORMS[form].write(needed)
    except WrongUse:
        return False
    return True

"""What a server is told, and what it makes of a request, drawn as tables: its faults, and its evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.errors import WrongUse
from labkit.parties.decide import Switch
from labkit.parties.described import Server
from labkit.parties.evaluation import Row, asked, evaluated
from labkit.parties.faults import FAULTS
from labkit.render.columns import text_table
from labkit.render.html import table
from labkit.render.marks import SIGNS

__all__ = ["Evaluation", "Faults", "evaluate", "faults"]

_TESTS = ("test", "clause", "found in the request", "result")
_FAULTS = ("fault", "what it does", "touches", "rules it breaks")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a server tested in a request, in order, and what it decided. Draws itself as a table.

    Args:
        rows: each test with its clause, what was found, and the result: "passes", "declined: …",
            "ignored" (the offer is not taken up) or "not reached". The decision comes last.
        status: the status of the answer; None where there is no request to answer.
        protocol: what it switches to; empty where it does not.
    """

    rows: tuple[Row, ...]
    status: int | None
    protocol: str = ""

    @property
    def decision(self) -> str:
        """The decision in a few words."""
        if self.status is None:
            return "No request, no answer"
        return f"Switch to {self.protocol} (101)" if self.protocol else f"No switch: the answer is {self.status}"

    def __str__(self) -> str:
        return f"{self.decision}\n\n{text_table(_TESTS, self._marked())}"

    def __repr__(self) -> str:
        return f"<Evaluation: {self.decision}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": table(_TESTS, self._marked(), self.decision)}

    def _marked(self) -> list[Row]:
        """Return the rows, with a sign at the test that declined."""
        declined = f"{SIGNS['must']} "
        return [row._replace(result=declined * row.result.startswith("declined") + row.result) for row in self.rows]


def evaluate(server: object, offer: object) -> Evaluation:
    """Show what a server tests in a request, in its own order, and what it decides.

    The tests are those that the server's party makes, not a copy. The content of the request, if it
    announces some, is taken to be there. Secrets are starred out where they are shown, as in a diagram.

    Args:
        server: a `Server`, or a running `UpgradeServer`.
        offer: an `Offer`, the bytes of a request, or a `Trace`: the request in it that counts.

    Raises:
        WrongUse: either is something else.

    >>> from labkit.parties.offer import Offer
    >>> evaluate(Server(), Offer.websocket().without("Sec-WebSocket-Key"))
    <Evaluation: No switch: the answer is 400>
    """
    told = getattr(server, "told", server)
    if not isinstance(told, Server):
        raise WrongUse(f"server is a Server(…) or an UpgradeServer, not {server!r}")
    rows, decision = evaluated(told, asked(offer))
    if isinstance(decision, Switch):
        return Evaluation(rows, 101, decision.protocol)
    return Evaluation(rows, decision.status if decision else None)


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that a server can be told to make. Draws itself as a table."""

    rows: tuple[tuple[str, str, str, str], ...]

    def __str__(self) -> str:
        return text_table(_FAULTS, self.rows)

    def __repr__(self) -> str:
        return f"<Faults: {len(self.rows)} of them>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": table(_FAULTS, self.rows, _MADE)}


_MADE = "Server(faults=(…)): more than one are made in this order"


def faults() -> Faults:
    """Return every fault that a server can be told to make, with the rules that it breaks.

    They are given as `Server(faults=("no-upgrade", "interim=103"))`. One that breaks no rule only puts
    the client to the test.

    >>> faults().rows[1]
    ('no-upgrade', 'the 101 does not say to which protocol it switches', 'the 101', 'W24; another protocol: G04')
    """
    rows = []
    for name, fault in FAULTS.items():
        written = f"{name}={fault.example}" if fault.example else name
        rows.append((written, fault.does, fault.touches, _broken(fault.rules)))
    return Faults(tuple(rows))


def _broken(rules: tuple[str, ...]) -> str:
    """Say which rules a fault breaks; where websocket has its own, the others are those of another protocol."""
    own, others = (", ".join(rule for rule in rules if rule.startswith("W") is of) for of in (True, False))
    return f"{own}; another protocol: {others}" if own and others else own or others or "none"

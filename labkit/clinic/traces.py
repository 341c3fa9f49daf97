"""What a trace tells of why an upgrade failed: how it ended, and the first rule that the switch hangs on."""

from __future__ import annotations

from labkit.clinic.diagnosis import Diagnosis
from labkit.render.verdict import Verdict, check
from labkit.rules import Finding
from labkit.trace import Trace

__all__ = ["of_trace"]


def of_trace(trace: Trace, proof: str) -> Diagnosis:
    """Return what a trace tells.

    Args:
        trace: what was recorded.
        proof: the command that shows it.
    """
    verdict = check(trace)
    found = [*verdict]
    others = tuple(str(each) for each in found[1:4])
    if not found:
        return Diagnosis(
            f"{verdict.outcome}; no rule was broken on this hop", "nobody, as far as this trace shows", "none",
            ("record the hop on the other side of the proxy: labkit tap --to HOST:PORT",), proof,
            broken=trace, ok=_switched(verdict),
        )  # fmt: skip
    first = found[0]
    return Diagnosis(
        f"{verdict.outcome}; {first.seen}", _who(first), f"{first.rule.clause} ({first.rule.id})",
        (first.rule.mend or first.rule.text,), proof, others, broken=trace,
    )  # fmt: skip


def _switched(verdict: Verdict) -> bool:
    return verdict.outcome.startswith("Switched")


def _who(finding: Finding) -> str:
    return f"{finding.party}, bytes {finding.start} to {finding.end - 1} of hop {finding.hop + 1}"

"""What a run of Autobahn|Testsuite found: its report read, kept as a small JSON file, and told as a page.

    {"versions": {"autobahntestsuite": "25.10.1", …}, "cases": {"1.1.1": ["OK", "OK"], …}}

Of each case it keeps the two verdicts: on the messages, and on how the connection was closed.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["CATEGORIES", "FILE", "PAGE", "Result"]

_DOCS = Path(__file__).parents[2] / "docs"
FILE = _DOCS / "autobahn.json"
PAGE = _DOCS / "autobahn.md"

CATEGORIES = {
    1: "framing", 2: "Pings and Pongs", 3: "reserved bits", 4: "opcodes", 5: "fragments", 6: "UTF-8",
    7: "closing", 9: "sizes and many fragments", 10: "misc", 12: "compression", 13: "compression, its parameters",
}  # fmt: skip
_VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED")
_OTHERS = {"UNCLEAN": "FAILED", "FAILED BY CLIENT": "FAILED", "WRONG CODE": "FAILED"}


@dataclass(frozen=True)
class Result:
    """The verdicts of one run: case, then on the messages and on the closing.

    >>> Result({"autobahntestsuite": "25.10.1"}, {"1.1.1": ("OK", "OK"), "7.1.6": ("OK", "UNCLEAN")}).counts(7)["FAILED"]
    1
    """

    versions: dict[str, str]
    cases: dict[str, tuple[str, str]]

    @classmethod
    def of_report(cls, index: dict[str, Any], versions: dict[str, str]) -> Result:
        """Read the `index.json` of a run with one agent."""
        (found,) = index.values()
        ordered = sorted(found, key=lambda case: [int(part) for part in case.split(".")])
        return cls(versions, {case: (found[case]["behavior"], found[case]["behaviorClose"]) for case in ordered})

    @classmethod
    def load(cls, path: Path = FILE) -> Result:
        """Read what `to_json` wrote."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        return cls(kept["versions"], {case: (both[0], both[1]) for case, both in kept["cases"].items()})

    def over(self, older: Result) -> Result:
        """Return both as one, a case of this one in place of the older; what other versions found does not count."""
        cases = self.cases if older.versions != self.versions else {**older.cases, **self.cases}
        return Result(self.versions, cases)

    def to_json(self) -> str:
        """Return it as JSON, a case a line, so that a change shows as one."""
        versions = json.dumps(self.versions, sort_keys=True)
        cases = ",\n".join(f"{json.dumps(case)}: {json.dumps(list(both))}" for case, both in self.cases.items())
        return f'{{"versions": {versions},\n"cases": {{\n{cases}\n}}}}\n'

    def counts(self, *categories: int) -> Counter[str]:
        """Count the cases of these categories, or of all, by the worse of their two verdicts."""
        return Counter(
            max((_OTHERS.get(verdict, verdict) for verdict in both), key=_VERDICTS.index)
            for case, both in self.cases.items()
            if not categories or int(case.partition(".")[0]) in categories
        )

    def page(self) -> str:
        """Return the page for readers, in Markdown."""
        found = [(f"{number} {name}", self.counts(number)) for number, name in CATEGORIES.items()]
        rows = [*found, ("all", self.counts())]
        shown = [
            verdict for verdict in _VERDICTS if verdict in ("OK", "NON-STRICT", "FAILED") or self.counts()[verdict]
        ]
        table = ["| category | cases | " + " | ".join(shown) + " |", "|---|" + "--:|" * (1 + len(shown))]
        for name, counts in rows:
            numbers = [counts.total(), *(counts[verdict] for verdict in shown)]
            table.append(f"| {name} | " + " | ".join(map(str, numbers)) + " |")
        versions = ", ".join(f"{name} {version}" for name, version in sorted(self.versions.items()))
        return "\n".join([*_INTRODUCTION, "", *table, "", f"Versions: {versions}.", "", *self._others(), ""])

    def _others(self) -> list[str]:
        """Return what is to be said of the cases that are not simply right."""
        told = [
            f"{case} ({', '.join(dict.fromkeys(both))})" for case, both in self.cases.items() if set(both) != {"OK"}
        ]
        return [f"Other than OK: {', '.join(told)}."] if told else []


_INTRODUCTION = [
    "# Autobahn|Testsuite",
    "",
    "What [Autobahn|Testsuite](https://github.com/crossbario/autobahn-testsuite) found when it asked the lab's own server,",
    "`labkit serve` with permessage-deflate and messages of up to 16 MiB. `make autobahn PY2=…` makes this page and",
    "`autobahn.json` anew. INFORMATIONAL is the suite's word where any behaviour is right, NON-STRICT where what the server",
    "did is allowed and could be better. There is no category 8 or 11; categories 12 and 13 hold the server to RFC 7692.",
]

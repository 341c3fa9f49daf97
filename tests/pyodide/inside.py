"""A Pyodide that runs in Node while the tests ask it things."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATIENCE = 120  # seconds for one answer


class Pyodide:
    """Python as it is in a browser: sources go in, and what they answer comes back, by JSON both ways.

    Args:
        folder: Pyodide's files.
        wheels: what is installed in it.
    """

    def __init__(self, folder: Path, wheels: Sequence[Path]) -> None:
        driver = Path(__file__).with_name("drive.mjs")
        self._process = subprocess.Popen(
            ["node", str(driver), str(folder), *map(str, wheels)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self._answer()

    def run(self, source: str, given: object = None) -> Any:
        """Run a source; `given` is there as a value, and its last line is the answer, made JSON."""
        lines = ("import json", "given = json.loads(given)", source.rstrip())
        *before, last = "\n".join(lines).split("\n")
        told = {"source": "\n".join([*before, f"json.dumps({last})"]), "given": json.dumps(given)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return json.loads(self._answer())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _answer(self) -> str:
        line = self._lines.get(timeout=PATIENCE)
        try:
            told = json.loads(line)
        except ValueError:
            told = {"error": f"Pyodide ended, or said what is no answer: {line[:300]}"}
        assert "error" not in told, told["error"]
        return str(told["answer"])

"""Files: the output of `nginx -T` as one paste, and what becomes of every `include`.

A file of this machine is read only where `allow` names it. All others are named in a note and skipped.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive, Note, NoteKind
from labkit.proxies.nginx.reading import at, read

__all__ = ["unfold"]

_MARKER = re.compile(r"# configuration file (?P<name>\S.*):[ \t]*\r?")
_OF_NGINX = re.compile(r"\s*(nginx: .*)?\r?")  # what it says to its other output: "syntax is ok"
_PREFIX = "/etc/nginx"  # of names without a folder; Debian's, Red Hat's and nginx.org's packages agree
_MOST_TEXT = 1 << 20  # bytes of a file that is included
_MOST_FILES = 1000  # includes, one in the other or one after the other
_HARMLESS = {
    "mime.types": "it says which Content-Type a static file has",
    "fastcgi_params": "it is for FastCGI",
    "fastcgi.conf": "it is for FastCGI",
    "uwsgi_params": "it is for uWSGI",
    "scgi_params": "it is for SCGI",
    "options-ssl-nginx.conf": "it holds settings of TLS",
    "ssl-dhparams.pem": "it holds settings of TLS",
}


def unfold(text: str, allow: Collection[str]) -> tuple[tuple[Directive, ...], list[Note]]:
    """Read a configuration, with its includes put in place where their text is known.

    Args:
        text: one file, or the output of `nginx -T`.
        allow: files of this machine that may be read, as their include names them.

    Raises:
        WrongUse: it cannot be read; the line is named.
    """
    sections = _sections(text)
    if sections is None:
        unfolder = _Unfolder({}, allow, _PREFIX)
        return unfolder.opened(read(text), ()), unfolder.notes
    files: dict[str, tuple[Directive, ...]] = {}
    for name, line, content in sections:
        files.setdefault(name, read(content, line, name))
    main = sections[0][0]
    unfolder = _Unfolder(files, allow, str(PurePosixPath(main).parent))
    return unfolder.opened(files[main], (main,)), unfolder.notes


def _sections(text: str) -> list[tuple[str, int, str]] | None:
    """Cut the output of `nginx -T` into its files: name, first line, content; None where it is none."""
    lines = text.split("\n")
    starts = [(number, found["name"]) for number, line in enumerate(lines) if (found := _MARKER.fullmatch(line))]
    if not starts or not all(_OF_NGINX.fullmatch(line) for line in lines[: starts[0][0]]):
        return None
    ends = [*(number for number, _ in starts[1:]), len(lines)]
    return [
        (name, start + 2, "\n".join(lines[start + 1 : end])) for (start, name), end in zip(starts, ends, strict=True)
    ]


@dataclass(slots=True)
class _Unfolder:
    """Puts the content of files in the place of their includes."""

    files: dict[str, tuple[Directive, ...]]
    allow: Collection[str]
    prefix: str
    notes: list[Note] = field(default_factory=list)
    count: int = 0

    def opened(self, directives: tuple[Directive, ...], inside: tuple[str, ...]) -> tuple[Directive, ...]:
        found: list[Directive] = []
        for each in directives:
            if each.name == "include" and each.block is None and len(each.args) == 1:
                found += self._included(each, inside)
            elif each.block is not None:
                found.append(replace(each, block=self.opened(each.block, inside)))
            else:
                found.append(each)
        return tuple(found)

    def _included(self, include: Directive, inside: tuple[str, ...]) -> tuple[Directive, ...]:
        self.count += 1
        written = include.args[0]
        pattern = written if written.startswith("/") else f"{self.prefix}/{written}"
        names = sorted(name for name in self.files if _matches(name, pattern))
        if not names and (written in self.allow or pattern in self.allow):
            return self._from_disk(include, pattern, inside)
        if not names:
            self.notes.append(Note(NoteKind.SKIPPED, include.line, str(include), _why_skipped(written)))
        found: list[Directive] = []
        for name in names:
            self._check_round(include, name, inside)
            found += self.opened(self.files[name], (*inside, name))
        return tuple(found)

    def _check_round(self, include: Directive, name: str, inside: tuple[str, ...]) -> None:
        if name in inside or self.count > _MOST_FILES:
            raise WrongUse(at(include.line, f"include {include.args[0]} leads back to {name}: it would never end"))

    def _from_disk(self, include: Directive, pattern: str, inside: tuple[str, ...]) -> tuple[Directive, ...]:
        path = Path(pattern)
        paths = sorted(path.parent.glob(path.name)) if set(path.name) & set("*?[") else [path]
        found: list[Directive] = []
        for each in paths:
            self._check_round(include, str(each), inside)
            content = tuple(_on_line(one, include.line) for one in read(_text(include, each), file=str(each)))
            found += self.opened(content, (*inside, str(each)))
        return tuple(found)


def _text(include: Directive, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_TEXT + 1)
    except OSError as error:
        raise WrongUse(at(include.line, f"include {path}: {error.strerror}")) from None
    if len(data) > _MOST_TEXT:
        raise WrongUse(at(include.line, f"include {path}: the lab reads at most {_MOST_TEXT} bytes of a file"))
    return data.decode("utf-8", "replace")


def _on_line(directive: Directive, line: int) -> Directive:
    """Return a directive of another file as if it stood on the line of its include."""
    block = directive.block
    inside = None if block is None else tuple(_on_line(each, line) for each in block)
    return replace(directive, line=line, block=inside)


def _matches(name: str, pattern: str) -> bool:
    """Match as glob(3) does: a star stops at a slash, and sees no name that begins with a dot."""
    names, patterns = name.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(
        fnmatchcase(part, wanted) and (not part.startswith(".") or wanted.startswith("."))
        for part, wanted in zip(names, patterns, strict=True)
    )


def _why_skipped(written: str) -> str:
    what = _HARMLESS.get(written.rpartition("/")[2])
    missing = "the file is not part of the text" if not set(written) & set("*?[") else "no such file is in the text"
    return f"{missing}; {what}" if what else f"{missing}; `nginx -T` prints all files as one"

"""What httpd does while it reads: variables, macros, the sections that ask what it is, files to include.

Afterwards only what takes part is left: no Define, no Macro, no <IfModule>. httpd expands ${X} line by line, before
it splits the line into words (measured: a later Define does not reach an earlier line).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from labkit.proxies.apache.directives import BY_NAME, PROVEN, SECTIONS
from labkit.proxies.apache.modules import exists, named
from labkit.proxies.apache.reading import Line, every, plain, shown
from labkit.proxies.directive import Note, NoteKind

__all__ = ["Resolver"]

_MOST_LINES = 20_000  # that macros may make
_LONGEST = 1 << 16  # characters of a line with its variables expanded
_DEEPEST = 20  # macros that use macros
_LONGEST_PATTERN = 60

_VARIABLE = re.compile(r"\$\{([^}]{0,200})\}")
_DEBIAN = {  # /etc/apache2/envvars
    "APACHE_RUN_USER": "www-data",
    "APACHE_RUN_GROUP": "www-data",
    "APACHE_PID_FILE": "/var/run/apache2/apache2.pid",
    "APACHE_RUN_DIR": "/var/run/apache2",
    "APACHE_LOCK_DIR": "/var/lock/apache2",
    "APACHE_LOG_DIR": "/var/log/apache2",
}

_COMPARED: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "=": lambda own, other: own == other,
    "==": lambda own, other: own == other,
    ">": lambda own, other: own > other,
    ">=": lambda own, other: own >= other,
    "<": lambda own, other: own < other,
    "<=": lambda own, other: own <= other,
}


@dataclass(frozen=True, slots=True)
class _Macro:
    parameters: tuple[str, ...]
    body: tuple[Line, ...]


@dataclass
class Resolver:
    """Resolves the lines of one configuration, and keeps notes.

    Args:
        modules: the proxy modules that were chosen; None where nobody did.
        allow: files that may be included.
    """

    modules: tuple[str, ...] | None
    allow: tuple[str, ...]
    notes: list[Note] = field(default_factory=list)
    loads: dict[str, int] = field(default_factory=dict)
    defined: dict[str, str] = field(default_factory=dict)
    macros: dict[str, _Macro] = field(default_factory=dict)
    made: int = 0
    _told: set[str] = field(default_factory=set)

    def resolve(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """Return the lines that take part, with their variables expanded."""
        for line in every(lines):
            if line.key == "loadmodule" and line.args:
                self.loads.setdefault(named(line.args[0]), line.line)
        if self.modules is None and any(name.startswith("proxy") for name in self.loads):
            there = [name for name in self.loads if name.startswith("proxy") and exists(name)]
            self.modules = tuple(dict.fromkeys(["proxy", *there]))
        return tuple(self._all(lines, 0))

    def _note(self, kind: NoteKind, line: Line, why: str) -> None:
        self.notes.append(Note(kind, line.line, shown(line), why))

    def _all(self, lines: Iterable[Line], depth: int) -> Iterator[Line]:
        for line in lines:
            yield from self._one(self._expanded(line), depth)

    def _one(self, line: Line, depth: int) -> Iterator[Line]:
        if line.key in _ASKING and line.block is not None:
            answer, why = _ASKING[line.key](self, line)
            self._note(NoteKind.NOTED if answer else NoteKind.SKIPPED, line, why)
            yield from self._all(line.block, depth) if answer else ()
        elif line.key == "macro" and line.block is not None:
            self._macro(line)
        elif line.key == "use" and line.block is None:
            yield from self._use(line, depth)
        elif line.key in _DOING and line.block is None:
            yield from _DOING[line.key](self, line)
        elif line.block is not None:
            yield replace(line, block=tuple(self._all(line.block, depth)))
        else:
            yield line

    # variables

    def _expanded(self, line: Line) -> Line:
        if "${" not in line.rest and "${" not in line.name:
            return line
        name, rest = (_VARIABLE.sub(partial(self._value, line), text) for text in (line.name, line.rest))
        if len(name) + len(rest) > _LONGEST:
            raise line.wrong(f"its variables make it longer than {_LONGEST} characters")
        return replace(line, name=name, rest=rest)

    def _value(self, line: Line, match: re.Match[str]) -> str:
        name = match[1]
        if name in self.defined:
            return self.defined[name]
        if ":" in name:  # a lookup of a RewriteMap
            return match[0]
        if name in _DEBIAN:
            self._once(line, name, f"Debian's envvars sets it to {_DEBIAN[name]}")
            return _DEBIAN[name]
        self._once(
            line, name, "nothing in the text defines it; httpd would ask its environment, and leaves it as it is"
        )
        return match[0]

    def _once(self, line: Line, name: str, why: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self.notes.append(Note(NoteKind.NOTED, line.line, plain(f"${{{name}}}"), why))

    def _define(self, line: Line) -> Iterator[Line]:
        if not 1 <= len(line.args) <= 2:
            raise line.wrong("takes a name and, where it has one, a value")
        self.defined[line.args[0]] = line.args[1] if len(line.args) == 2 else ""
        yield from ()

    def _undefine(self, line: Line) -> Iterator[Line]:
        for name in line.args:
            self.defined.pop(name, None)
        yield from ()

    # macros

    def _macro(self, line: Line) -> None:
        if not line.args:
            raise line.wrong("the name of the macro is missing")
        if not all(line.args):
            raise line.wrong("an argument of the macro has no name")
        self.macros[line.args[0].lower()] = _Macro(line.args[1:], line.block or ())

    def _use(self, line: Line, depth: int) -> Iterator[Line]:
        name, values = line.args[0] if line.args else "", line.args[1:]
        macro = self.macros.get(name.lower())
        if macro is None:
            raise line.wrong(f"no <Macro {plain(name)}> stands before it")
        if len(values) != len(macro.parameters):
            raise line.wrong(f"macro {plain(name)} takes {len(macro.parameters)} arguments, not {len(values)}")
        if depth >= _DEEPEST:
            raise line.wrong(f"macros use each other more than {_DEEPEST} deep")
        self._note(NoteKind.NOTED, line, "what the macro says stands here")
        pairs = sorted(zip(macro.parameters, values, strict=True), key=lambda pair: -len(pair[0]))
        body = tuple(self._filled(each, pairs) for each in macro.body)
        if self.made > _MOST_LINES:
            raise line.wrong(f"macros make more than {_MOST_LINES} lines")
        yield from self._all(body, depth + 1)

    def _filled(self, line: Line, pairs: list[tuple[str, str]]) -> Line:
        self.made += 1
        name, rest = line.name, line.rest
        for parameter, value in pairs:
            name, rest = name.replace(parameter, value), rest.replace(parameter, value)
        if len(name) + len(rest) > _LONGEST:
            raise line.wrong(f"macros make it longer than {_LONGEST} characters")
        block = None if line.block is None else tuple(self._filled(each, pairs) for each in line.block)
        return replace(line, name=name, rest=rest, block=block)

    # what httpd is

    def _if_module(self, line: Line) -> tuple[bool, str]:
        wanted, name = _negated(line)
        module = named(name)
        there = module in ("core", "so", "mpm_event") or self._loaded(module)
        where = "has that module" if there else "has no such module"
        return there is wanted, f"read as by a server that {where}"

    def _loaded(self, module: str) -> bool:
        if module.startswith("mpm_"):
            return False
        if module.startswith("proxy"):
            return exists(module) if self.modules is None else module in self.modules
        return exists(module)

    def _if_define(self, line: Line) -> tuple[bool, str]:
        wanted, name = _negated(line)
        there = name in self.defined
        return there is wanted, f"{plain(name)} is {'defined' if there else 'not defined'} here"

    def _if_version(self, line: Line) -> tuple[bool, str]:
        args = line.args
        wanted = not (args and args[0].startswith("!"))
        args = (args[0].removeprefix("!"), *args[1:]) if args else ()
        operator, value = args if len(args) == 2 else ("=", *args) if len(args) == 1 else ("", "")
        there = _version_is(line, operator, value)
        return there is wanted, f"asked of {PROVEN}, the version that the lab was held against"

    def _if_file(self, line: Line) -> tuple[bool, str]:
        wanted, _ = _negated(line)
        return not wanted, "the lab looks at no file"

    def _if_known(self, line: Line) -> tuple[bool, str]:
        wanted, name = _negated(line)
        there = name.lower().lstrip("<").rstrip(">") in (SECTIONS if line.key == "ifsection" else BY_NAME)
        return there is wanted, f"httpd {'has' if there else 'has not'} that"

    # files

    def _include(self, line: Line) -> Iterator[Line]:
        if not line.args:
            raise line.wrong("the name of a file is missing")
        if line.args[0] in self.allow:
            self._note(NoteKind.NOTED, line, "allowed by name: httpd reads it, and the lab does not look into it")
            yield line
        else:
            self._note(NoteKind.SKIPPED, line, f"not part of the text; paste it in, or allow=[{line.args[0]!r}]")

    def _load_module(self, line: Line) -> Iterator[Line]:
        if len(line.args) < 2:
            raise line.wrong("takes the name of a module and its file")
        name = named(line.args[0])
        if line.args[0] in self.allow:
            self._note(NoteKind.NOTED, line, "allowed by name: loaded from where the text says")
            yield line
        elif not exists(name):
            self._note(NoteKind.SET_ASIDE, line, "no module that httpd comes with; the lab loads no other")
        elif name.startswith("mpm_"):
            self._note(NoteKind.SET_ASIDE, line, "the lab runs the event MPM")
        elif name.startswith("proxy"):
            self._note(NoteKind.POINTED, line, "loaded, from this machine's folder of modules")
        else:
            self._note(NoteKind.NOTED, line, "the lab loads what the directives need, from this machine's folder")


_ASKING: dict[str, Callable[[Resolver, Line], tuple[bool, str]]] = {
    "ifmodule": Resolver._if_module,  # noqa: SLF001  the table belongs to the class
    "ifdefine": Resolver._if_define,  # noqa: SLF001
    "ifversion": Resolver._if_version,  # noqa: SLF001
    "iffile": Resolver._if_file,  # noqa: SLF001
    "ifdirective": Resolver._if_known,  # noqa: SLF001
    "ifsection": Resolver._if_known,  # noqa: SLF001
}

_DOING: dict[str, Callable[[Resolver, Line], Iterator[Line]]] = {
    "define": Resolver._define,  # noqa: SLF001
    "undefine": Resolver._undefine,  # noqa: SLF001
    "undefmacro": lambda _, __: iter(()),
    "include": Resolver._include,  # noqa: SLF001
    "includeoptional": Resolver._include,  # noqa: SLF001
    "loadmodule": Resolver._load_module,  # noqa: SLF001
}


def _negated(line: Line) -> tuple[bool, str]:
    if not line.args:
        raise line.wrong("says nothing to ask for")
    name = line.args[0]
    return not name.startswith("!"), name.removeprefix("!")


def _version_is(line: Line, operator: str, value: str) -> bool:
    if operator in ("~", "=~") or (operator in ("=", "==") and value.startswith("/") and value.endswith("/")):
        if len(value) > _LONGEST_PATTERN:
            raise line.wrong(f"its regular expression is longer than {_LONGEST_PATTERN} characters")
        try:
            return re.search(value.strip("/") if value.startswith("/") else value, PROVEN) is not None
        except re.error as error:
            raise line.wrong(f"{plain(value)} is no regular expression: {error}") from None
    if operator not in _COMPARED or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", value):
        raise line.wrong("compares with a version, such as <IfVersion >= 2.4.47>; mind the space behind the operator")
    numbers = [int(part) for part in value.split(".")]
    own = tuple(int(part) for part in PROVEN.split("."))
    return _COMPARED[operator](own, (*numbers, *[0] * (3 - len(numbers))))

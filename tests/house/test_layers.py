"""The floors of the house, read from the imports of every module (docs: the design page)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2] / "labkit"

FLOORS = {
    1: {"wire", "errors"},
    2: {"trace", "recording", "dissection"},
    3: {"rules"},
    4: {"parties", "proxies"},
    5: {
        "scenario",
        "gathering",
        "stage",
        "simulation",
        "measured",
        "reads",
        "caching",
        "cases",
        "snippets",
        "commandlines",
        "variations",
    },
    6: {"net", "phpcurl"},
    7: {"render", "formats", "bench"},
    8: {"cli", "clinic", "widgets", "lessons", "__init__", "__main__"},  # the face: it sees every room
}
FLOOR = {room: number for number, rooms in FLOORS.items() for room in rooms}

# The imports that go up: a trace draws, explains, checks and saves itself. No other does.
UPWARD = {
    ("trace", "TYPE_CHECKING", "labkit.render.explain"),  # what Trace.bytes returns
    ("trace", "Trace.bytes", "labkit.render.explain"),
    ("trace", "TYPE_CHECKING", "labkit.render.verdict"),  # what Trace.check returns
    ("trace", "Trace.check", "labkit.render.verdict"),
    ("trace", "Trace.save", "labkit.formats.jsonl"),
    ("trace", "Trace.__str__", "labkit.render.diagram"),
    ("trace", "Trace._repr_mimebundle_", "labkit.render.diagram"),
}
APART = {  # never, though the floors would allow it
    ("render", "net"), ("formats", "net"), ("net", "render"),
    ("render", "phpcurl"), ("formats", "phpcurl"), ("phpcurl", "render"),
}  # fmt: skip

IO = {"asyncio", "socket", "subprocess", "threading", "time", "random", "secrets", "IPython"}
HIGHEST_WITHOUT_IO = 5
CORE = {  # what the rooms of floors 4 and 5 may use beside the standard library: cores without I/O
    "crossplane", "h11", "h2", "websockets.client", "websockets.datastructures", "websockets.exceptions", "websockets.extensions",
    "websockets.frames", "websockets.headers", "websockets.http11", "websockets.protocol", "websockets.server",
    "websockets.streams", "websockets.typing", "websockets.uri", "websockets.utils",
}  # fmt: skip
INSTALLED = {"crossplane", "h11", "websockets"}  # what `pip install .` brings; all else is optional
HIGHEST_OF_STANDARD_LIBRARY_ALONE = 3
BROAD = {"Exception", "BaseException"}


class Import(NamedTuple):
    """One import: who imports, where it stands ("" for the top of the module), and what."""

    path: Path
    place: str
    target: str
    line: int

    @property
    def room(self) -> str:
        return room_of(self.path)

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT.parent)}:{self.line} imports {self.target}"


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import of a module, those inside functions and by `import_module("…")` too."""
    package = [ROOT.name, *path.relative_to(ROOT).parts[:-1]]
    for node, place in walk(ast.parse(path.read_text("utf-8")), ()):
        match node:
            case ast.Import():
                targets = [alias.name for alias in node.names]
            case ast.ImportFrom():
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                targets = [deepest(module, alias.name) for alias in node.names]
            case ast.Call(func=ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module")):
                named = node.args and isinstance(node.args[0], ast.Constant)
                targets = [str(node.args[0].value) if named else "<named at run time>"]
            case _:
                continue
        for target in targets:
            yield Import(path, ".".join(place), target, node.lineno)


def deepest(module: str, name: str) -> str:
    """Return the module that `from module import name` names: of the lab's own, a module may be the name itself."""
    inside = ROOT.parent.joinpath(*module.split("."), name)
    own = inside.is_dir() or inside.with_suffix(".py").is_file()
    return f"{module}.{name}" if own else module


def walk(node: ast.AST, place: tuple[str, ...]) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        inside = place
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = (*place, child.name)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            inside = (*place, "TYPE_CHECKING")
        yield child, inside
        yield from walk(child, inside)


IMPORTS = [found for path in modules() for found in imports_of(path)]
OWN = [found for found in IMPORTS if found.target.split(".")[0] == "labkit"]
FOREIGN = [found for found in IMPORTS if found not in OWN and found.target.split(".")[0] not in sys.stdlib_module_names]


def floor_of(target: str) -> int:
    room = target.removeprefix("labkit").removeprefix(".").split(".")[0]
    return FLOOR[room or "__init__"]


def test_every_room_has_a_floor():
    """A room that no floor names would escape the other rules."""
    assert {room_of(path) for path in modules()} <= set(FLOOR)


def test_no_room_imports_upwards():
    """A room imports from its own floor and from below; the four methods of Trace are the only way up."""
    up = [found for found in OWN if floor_of(found.target) > FLOOR[found.room]]
    assert [str(found) for found in up if (found.room, found.place, found.target) not in UPWARD] == []


def test_every_exception_is_used():
    """The list of ways up names none that is not there any more."""
    assert {(found.room, found.place, found.target) for found in OWN} >= UPWARD


def test_pictures_and_sockets_stay_apart():
    """What draws, reads or writes captures never opens a socket, and what opens sockets never draws."""
    rooms = [(found.room, [*found.target.split("."), ""][1], found) for found in OWN]
    assert [str(found) for room, other, found in rooms if (room, other) in APART] == []


def test_lower_floors_hold_no_io():
    """Floors 1 to 5 have no clock, no entropy, no socket, no thread and no notebook."""
    low = [found for found in IMPORTS if FLOOR[found.room] <= HIGHEST_WITHOUT_IO]
    assert [str(found) for found in low if found.target.split(".")[0] in IO or found.target.startswith("<")] == []


def test_lowest_floors_use_the_standard_library_alone():
    """Floors 1 to 3 borrow nothing; floors 4 and 5 borrow cores without I/O."""
    for found in FOREIGN:
        floor = FLOOR[found.room]
        assert floor > HIGHEST_OF_STANDARD_LIBRARY_ALONE, str(found)
        core = any(found.target == name or found.target.startswith(f"{name}.") for name in CORE)
        assert floor > HIGHEST_WITHOUT_IO or core, str(found)


def test_optional_dependencies_are_imported_where_they_are_used():
    """What `pip install .` does not bring is imported inside a function or class, never at the top of a module."""
    optional = [found for found in FOREIGN if found.target.split(".")[0] not in INSTALLED]
    assert [str(found) for found in optional if found.place in ("", "TYPE_CHECKING")] == []


def test_optional_dependencies_have_one_door():
    """Each optional dependency is imported in one file, so that one place knows what to say where it is absent."""
    doors: dict[str, set[str]] = {}
    for found in FOREIGN:
        name = found.target.split(".")[0]
        if name not in INSTALLED:
            doors.setdefault(name, set()).add(str(found.path.relative_to(ROOT)))
    assert {name: files for name, files in doors.items() if len(files) > 1} == {}


def broad(node: ast.AST) -> bool:
    """Tell whether a node catches everything: bare, Exception, BaseException, or `suppress` of them."""
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=caught):
            names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        case ast.Call(func=ast.Name("suppress") | ast.Attribute(attr="suppress"), args=names):
            pass
        case _:
            return False
    return any(ast.unparse(name).split(".")[-1] in BROAD for name in names)


@pytest.mark.parametrize("room", ["wire", "dissection", "rules", "parties", "proxies"])
def test_total_by_construction(room):
    """Dissectors, rules and parties catch what they expect and nothing else (law 2)."""
    paths = [path for path in modules() if room_of(path) == room]
    caught = [
        f"{path.relative_to(ROOT)}:{node.lineno}" for path in paths for node, _ in walk(ast.parse(path.read_text()), ()) if broad(node)
    ]  # fmt: skip
    assert caught == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("try: ...\nexcept: ...", True),
        ("try: ...\nexcept Exception: ...", True),
        ("try: ...\nexcept (ValueError, builtins.BaseException): ...", True),
        ("with contextlib.suppress(Exception): ...", True),
        ("try: ...\nexcept (ValueError, KeyError): ...", False),
        ("with suppress(ValueError): ...", False),
    ],
)
def test_reader_of_broad_excepts(source, caught):
    """The rule above sees every spelling of catching everything."""
    assert any(broad(node) for node, _ in walk(ast.parse(source), ())) == caught


def test_importing_the_lab_is_cheap():
    """`import labkit` loads nothing that is optional; pictures and notebooks wait until they are asked for."""
    optional = sorted({found.target.split(".")[0] for found in FOREIGN} - INSTALLED)
    code = f"import sys, labkit; print([name for name in {optional!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

"""What every proxy has in common: a configuration text, what the lab made of it, and the way to run it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from labkit.errors import WrongUse
from labkit.proxies.directive import Note, Upstream

if TYPE_CHECKING:
    from labkit.proxies.model import Model

__all__ = ["Effect", "Place", "Proxy", "is_loopback"]

_MOST_TEXT = 1 << 20  # characters


def is_loopback(host: str) -> bool:
    """Tell whether a host as a configuration names it is this machine, whoever is asked.

    >>> is_loopback("[::1]"), is_loopback("127.0.0.7"), is_loopback("backend")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


class Place(NamedTuple):
    """Where a real program is to run a configuration.

    Args:
        folder: its private folder, an absolute path without a final slash; all that it writes goes there.
        port: where it listens on 127.0.0.1 in place of the door, the port that the client dials.
        spare: free ports for its other listeners, as many as `Proxy.other_ports` says.
        upstream: HOST:PORT, or unix:FILE where the proxy is `by_socket`, to which every upstream is pointed.
        modules: the folder of the program's loadable modules; empty where it has none.
        built_in: the modules that are built in, as the program lists them.
    """

    folder: str
    port: int
    upstream: str
    spare: tuple[int, ...] = ()
    modules: str = ""
    built_in: tuple[str, ...] = ()


class Effect(NamedTuple):
    """What a directive does to an upgrade.

    Args:
        line: its line in the text.
        directive: as it stands there.
        does: in a sentence.
    """

    line: int
    directive: str
    does: str


@dataclass(frozen=True)
class Proxy(ABC):
    """A proxy, described by the text of its own configuration. Frozen; how it is run is `run`'s to say.

    Args:
        text: the configuration as people write it: a snippet, a site file, or all of it.
        keep_upstreams: leave the upstream addresses as they are, instead of pointing them at the lab's server.
        door: the port, as the text has it, that the client dials; unless told the first that leads to an upstream.
        allow: what would be refused, allowed by name: files to include, directives that execute or write.

    Raises:
        WrongUse: the text cannot be read; it names the line and the directive.
        Refused: it executes, includes or writes what is not allowed by name.
    """

    text: str
    keep_upstreams: bool = False
    door: int | None = None
    allow: tuple[str, ...] = ()

    program: ClassVar[str] = ""
    """The lab's name for the program that runs it, a key of `labkit.net.programs.KNOWN`."""

    name: ClassVar[str] = ""
    """What it is called as a party of a trace."""

    by_socket: ClassVar[bool] = False
    """Whether its upstreams are best pointed at a unix socket: it then names them as the text does."""

    def __post_init__(self) -> None:
        given: object = self.text
        if given is ...:
            raise WrongUse("the configuration is still open: write a text in place of the ...")
        if not isinstance(self.text, str):
            raise WrongUse(f"a configuration is a text, not {self.text!r}; read a file with Path(…).read_text()")
        if len(self.text) > _MOST_TEXT:
            raise WrongUse(f"the configuration has {len(self.text)} characters; the lab reads at most {_MOST_TEXT}")
        if isinstance(self.allow, str) or not isinstance(self.allow, Iterable):
            raise WrongUse(f"allow is a list of names, not {self.allow!r}")
        object.__setattr__(self, "allow", tuple(self.allow))
        if self.door is not None and type(self.door) is not int:
            raise WrongUse(f"door is the port that the client dials, a number, not {self.door!r}")
        self._read()

    @abstractmethod
    def _read(self) -> None:
        """Read the text, so that what is wrong with it is told at once."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the lab added, pointed at itself, set aside and skipped, in the order of the lines."""
        return ()

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every upstream address as it is written."""
        return ()

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each directive of the text does to an upgrade, in the order of the lines; also those that do nothing."""
        return ()

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports that it listens on beside the door, as the text has them."""
        return ()

    @abstractmethod
    def completed(self, place: Place) -> str:
        """Return the whole configuration file that the real program is given."""

    def line_of(self, place: Place, number: int) -> int:  # noqa: ARG002
        """Return which line of the text stands on a line of the completed one; 0 where the lab added it, or unknown."""
        return 0

    @abstractmethod
    def model(self) -> Model:
        """Return the model of it.

        Raises:
            Unmodelled: there is none, or a directive could matter that it does not know; it is named.
        """

    def __repr__(self) -> str:
        lines = self.text.count("\n") + 1
        return f"<{type(self).__name__} {lines} line{'s' * (lines != 1)}>"

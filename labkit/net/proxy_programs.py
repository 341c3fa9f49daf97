"""The programs that run proxies: how each is started, and how to read what it says.

nginx     -p FOLDER -c FOLDER/nginx.conf, in the foreground; its error log on standard error
apache2   -f FOLDER/httpd.conf -DFOREGROUND; on standard error until it runs, then its ErrorLog
haproxy   -f FOLDER/haproxy.cfg, in the foreground; standard error
caddy     run --config FOLDER/Caddyfile; a JSON object a line on standard error
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.net.process import run_child
from labkit.net.programs import Program

__all__ = ["HOW", "How", "built_in", "modules", "said"]

_MOST_SAID = 4  # lines that are told
_WIDEST = 300  # characters of one
_LISTED = re.compile(r"^\s+(\S+\.c)\s*$", re.MULTILINE)
_FOLDERS = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/etc/httpd/modules")
_PATIENCE = 5.0  # seconds for a program to list its modules


class How(NamedTuple):
    """How a program is started, and how what it says is read.

    Args:
        file: what its configuration is called.
        words: its arguments, given the program, the folder and the configuration's path.
        told: finds the lines of its log that are worth telling, and in its one group what is told of each.
        dull: finds what is not told all the same.
    """

    file: str
    words: Callable[[Program, str, str], Sequence[str]]
    told: re.Pattern[str]
    dull: re.Pattern[str] = re.compile(r"(?!)")


_NGINX = r"\[(?:warn|error|crit|alert|emerg|info)\] (?:\d+#\d+: )?(?:\*\d+ )?(.+?)(?:, client: .*)?$"
_APACHE = r"^(?:\[[^\]]*\] \[\S*:(?:warn|error|crit|alert|emerg)\] (?:\[[^\]]*\] )*)?(?!\[)(\S.*)$"
_HAPROXY = (  # a trouble of its own, an answer of 400 and above, or an end that is not as it should be
    r"^(?:\[(?:ALERT|WARNING)\] +\(\d+\) : (?:config : )?|.*?\[[^\]]*\] \S+ (?=\S+/\S+ \S+ (?:[45]\d\d|-1) "
    r"|\S+/\S+ \S+ \d+ \S+ - - [^-]|\S+/\S+ \S+ \d+ \S+ - - -[^-]))(.+)$"
)


def _early(program: Program) -> tuple[str, ...]:
    """Return what sends nginx's words to standard error before it knows its error log; since 1.19.5."""
    version = tuple(int(number) for number in program.version.split(".") if number)
    return ("-e", "stderr") if version >= (1, 19, 5) else ()


HOW: dict[str, How] = {
    "nginx": How(
        "nginx.conf",
        lambda program, folder, file: ("-p", folder, *_early(program), "-c", file, "-g", "daemon off;"),
        re.compile(_NGINX),
        re.compile(
            r'the "user" directive|while waiting for request|closed keepalive connection|could not open error log'
        ),
    ),
    "apache2": How(
        "httpd.conf",
        lambda _, __, file: ("-f", file, "-DFOREGROUND"),
        re.compile(_APACHE),
        re.compile(r"^AH00558|^AH10159"),  # of a name that it does not have, and of how few threads it has
    ),
    "haproxy": How(
        "haproxy.cfg",
        lambda _, __, file: ("-db", "-f", file),
        re.compile(_HAPROXY),
        re.compile(r"(?:Fatal errors|Error\(s\)) found in configuration|'option httplog' not usable"),
    ),
    "caddy": How(
        "Caddyfile",
        lambda _, __, file: ("run", "--config", file, "--adapter", "caddyfile"),
        re.compile(r"^(?:Error: |run: )?(.+)$"),
        re.compile(r"^admin: admin endpoint disabled|^http: automatic HTTPS is|^exiting; byeee"),
    ),
}
"""The programs that the lab can start, by their names in `labkit.net.programs.KNOWN`."""


def modules(program: Program) -> str:
    """Return the folder of Apache's loadable modules: Debian's or Red Hat's; empty for other programs.

    Raises:
        WrongUse: it is Apache, and its modules are in none of these.
    """
    if program.name != "apache2":
        return ""
    beside = Path(program.path).resolve().parent.parent / "modules"  # as it installs itself
    found = next((folder for folder in (*_FOLDERS, str(beside)) if Path(folder, "mod_proxy.so").is_file()), None)
    if found is None:
        raise WrongUse(f"the modules of {program.path} are in none of {', '.join(_FOLDERS)}")
    return found


def built_in(program: Program) -> tuple[str, ...]:
    """Return the modules that are built into Apache, as it lists them; none for other programs."""
    if program.name != "apache2":
        return ()
    listed = run_child([program.path, "-l"], patience=_PATIENCE).out.decode("utf-8", "replace")
    return tuple(_LISTED.findall(listed))


def said(name: str, log: str) -> tuple[str, ...]:
    r"""Return what a program's log says of something that went wrong, shortened; the first few, each once.

    >>> said("nginx", "2026/01/01 12:00:00 [error] 7#7: *1 no live upstreams, client: 127.0.0.1, server: \n")
    ('no live upstreams',)
    """
    found = dict.fromkeys(_told(name, log))
    first = [shorten(each, _WIDEST, placeholder=" …") for each in list(found)[:_MOST_SAID]]
    more = len(found) - len(first)
    return (*first, f"and {more} more lines") if more > 0 else tuple(first)


def _told(name: str, log: str) -> Iterator[str]:
    how = HOW[name]
    for line in log.splitlines():
        found = how.told.search(_of_json(line) if line.startswith("{") else line)
        if found and not how.dull.search(found[1]):
            yield found[1].strip()


def _of_json(line: str) -> str:
    """Return what a line of Caddy's log says, where it says that something went wrong."""
    try:
        told = json.loads(line)
    except ValueError:
        return line
    if not isinstance(told, dict) or told.get("level") not in ("warn", "error", "fatal", "panic"):
        return ""
    words = (str(told.get(name, "")) for name in ("logger", "msg", "error"))
    text = ": ".join(word for word in words if word)
    return "" if "not formatted" in text else text

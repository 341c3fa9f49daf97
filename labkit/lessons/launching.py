"""Links that open the lab on mybinder.org, from any fork."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from labkit.errors import WrongUse
from labkit.lessons.copies import FOLDER
from labkit.lessons.notebooks import FIRST

__all__ = ["Launch", "binder_link"]

_BINDER = "https://mybinder.org"
_NAME = r"[A-Za-z0-9_.-]+?"
_REPOSITORY = re.compile(
    rf"(?:(?:(?:https?|ssh|git)://)?(?:[\w.-]+@)?(?P<host>(?:www\.)?github\.com|gitlab\.com)[/:])?"
    rf"(?P<path>{_NAME}(?:/{_NAME})+?)(?:\.git)?/?(?:(?:/-)?/tree/(?P<tag>[^?#\s]+?))?/?",
    re.IGNORECASE | re.ASCII,
)
# What git allows in the name of a tag or a branch, nearly.
_TAG = re.compile(
    r"[^\s~^:?*\[\\\x00-\x20\ud800-\udfff]{1,255}"
)  # what git allows in the name of a tag or a branch, nearly
_SECRET = re.compile(r"//[^/@\s]*@")  # a name and a password in an address
_LONGEST = 500  # characters


@dataclass(frozen=True, slots=True)
class Launch:
    """A link that starts the lab on Binder, and the badge that bears it.

    Args:
        url: the address to open.

    >>> print(Launch("https://mybinder.org/v2/gh/a/b/HEAD"))
    link   https://mybinder.org/v2/gh/a/b/HEAD
    badge  [![Launch on Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/a/b/HEAD)
    """

    url: str

    @property
    def badge(self) -> str:
        """The badge, in Markdown."""
        return f"[![Launch on Binder]({_BINDER}/badge_logo.svg)]({self.url})"

    def __str__(self) -> str:
        return f"link   {self.url}\nbadge  {self.badge}"


def binder_link(repository: str, tag: str = "", notebook: str = FIRST) -> Launch:
    """Return the link that opens a learner's copy of a notebook on mybinder.org.

    Args:
        repository: `OWNER/NAME` on GitHub, or the address of a repository on GitHub or GitLab.
        tag: a tag, a branch or a commit; unless told, the one in the address, else the newest commit (`HEAD`).
        notebook: the notebook's file name.

    Raises:
        WrongUse: that is no repository, or no tag.

    >>> binder_link("https://github.com/someone/labkit.git", "v1", "02-curl.ipynb").url
    'https://mybinder.org/v2/gh/someone/labkit/v1?urlpath=lab%2Ftree%2Fmy-lab%2F02-curl.ipynb'
    """
    found = _REPOSITORY.fullmatch(repository.strip()) if len(repository) <= _LONGEST else None
    on_gitlab = bool(found and (found["host"] or "").lower() == "gitlab.com")
    dots = found is not None and not {".", ".."}.isdisjoint(found["path"].split("/"))
    if not found or dots or (found["path"].count("/") > 1 and not on_gitlab):
        shown = _SECRET.sub("//…@", repository)
        raise WrongUse(
            f"{shown[:80]!r} is no repository that Binder can be sent to: write OWNER/NAME, or its address on "
            "github.com or gitlab.com"
        )
    tag = tag or found["tag"] or "HEAD"
    if not _TAG.fullmatch(tag):
        raise WrongUse(f"{tag[:80]!r} is no name of a tag, a branch or a commit")
    place = f"gl/{quote(found['path'], safe='')}" if on_gitlab else f"gh/{found['path']}"
    path = quote(f"lab/tree/{FOLDER}/{notebook}", safe="")
    return Launch(f"{_BINDER}/v2/{place}/{quote(tag, safe='')}?urlpath={path}")

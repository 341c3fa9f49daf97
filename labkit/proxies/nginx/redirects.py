"""What `proxy_redirect default` means; said in full, where proxy_pass is not given to nginx as it is written.

By default nginx takes the written URL of proxy_pass out of a `Location` that the upstream sends
(ngx_http_proxy_merge_loc_conf): with a URI it becomes the location's path, and without one a slash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from labkit.proxies.directive import Directive
from labkit.proxies.nginx.aiming import target_of

__all__ = ["default_redirect", "with_redirects"]


def default_redirect(url: str, path: str) -> tuple[str, str] | None:
    """Return what nginx takes out of a Location by default, and what it puts in; None where it does neither.

    Args:
        url: what proxy_pass names, as it is written.
        path: the location's.

    >>> default_redirect("http://app:3000/base/", "/ws/"), default_redirect("http://app", "/ws/")
    (('http://app:3000/base/', '/ws/'), ('http://app/', '/'))
    """
    target = None if "$" in url else target_of(url)  # with variables there is no default
    if target is None:
        return None
    return (url, path) if target.rest else (f"{url}/", "/")


def with_redirects(
    block: Directive, found: Iterable[Directive], inherited: tuple[Directive, ...], url: Callable[[str], str]
) -> Iterator[Directive]:
    """Yield what stands in a block, its default proxy_redirect said in full where that is needed.

    Args:
        block: the block, as the text has it.
        found: what stands in it, as nginx is given it.
        inherited: the proxy_redirect lines that hold in it, its own or a block's round it.
        url: what nginx is given for the URL of a proxy_pass.
    """
    pair = _meant(block, url)
    lines = inherited or (Directive("proxy_redirect", ("default",)),)
    if pair is None or not any(each.args == ("default",) for each in lines):
        yield from found
        return
    yield from (each for each in found if each.name != "proxy_redirect")
    yield from (replace(each, args=pair) if each.args == ("default",) else each for each in lines)


def _meant(block: Directive, url: Callable[[str], str]) -> tuple[str, str] | None:
    passed = block.inside("proxy_pass") if block.name == "location" else ()
    if not passed or passed[0].args[0] == url(passed[0].args[0]):
        return None
    return default_redirect(passed[0].args[0], block.args[-1])

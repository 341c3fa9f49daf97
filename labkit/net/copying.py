"""Copy as: a snippet to be taken elsewhere, with a fresh key."""

from __future__ import annotations

from labkit.net.client import fresh_key
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import Snippet, snippet

__all__ = ["copy_as"]


def copy_as(what: Offer | Scenario, form: str = "curl", url: str = "") -> Snippet:
    """Print an offer or a scenario as a program that runs by itself: curl, PHP, Python, or JavaScript for a page.

    The RFC's own key is never copied: a command line gets one that is drawn now, a program draws one each
    time it runs (RFC 6455, 4.1).

    Args:
        what: the offer; or a scenario, whose client then says its messages too, where the form can.
        form: curl, php, websockets, socket or javascript.
        url: where to dial; the host of the offer's Host field unless told.

    Raises:
        WrongUse: there is no such form, or its client cannot send this offer.

    >>> copy_as(Offer.bare(), "socket").leaves_out
    ()
    >>> print(copy_as(Offer.bare("/path", host="example.com")))
    curl -i --max-time 2 -H 'Upgrade: websocket' -H 'Connection: Upgrade' http://example.com/path
    """
    return snippet(what, form, url, fresh_key())

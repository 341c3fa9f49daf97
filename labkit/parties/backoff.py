"""How long to wait before connecting again: longer each time, and at random, so that not all come at once.

RFC 6455, 7.2.3 asks for it: a first delay at random, "between 0 and 5 seconds is a reasonable initial delay", then
"increasingly longer amounts of time, using a method such as truncated binary exponential backoff". The random part is
drawn from the whole of each delay: "full jitter" in Marc Brooker's measurements for AWS, where it made the least work
for the server (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/):

    sleep = random_between(0, min(cap, base * 2 ** attempt))

websockets' own client draws the first delay alone at random, from 0 to 5 s, and goes on with 3.1 s, times 1.618 each,
up to 90 s: gentle for one client, but those that lost their server together come back together from then on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from labkit.errors import WrongUse

__all__ = ["delays"]


def delays(random: Callable[[], float], *, first: float = 5.0, most: float = 60.0) -> Iterator[float]:
    """Yield, without end, how many seconds to wait before each attempt.

    Args:
        random: draws a number from 0 to 1, as `random.random` does.
        first: the longest that the first delay may be; each time it doubles.
        most: the longest that any delay may be.

    Raises:
        WrongUse: a bound that is no number of seconds above 0.

    >>> from itertools import islice
    >>> list(islice(delays(lambda: 1.0), 6)), list(islice(delays(lambda: 0.5, first=1), 3))
    ([5.0, 10.0, 20.0, 40.0, 60.0, 60.0], [0.5, 1.0, 2.0])
    """
    for name, value in (("first", first), ("most", most)):
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise WrongUse(f"{name} must be a number of seconds above 0, not {value!r}")
    return _delays(random, min(first, most), most)


def _delays(random: Callable[[], float], longest: float, most: float) -> Iterator[float]:
    while True:
        yield random() * longest
        longest = min(2 * longest, most)

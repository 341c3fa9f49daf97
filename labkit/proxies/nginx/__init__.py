"""nginx: reading its configuration as people write it, and completing it for the real program.

A text goes through these rooms, from the top:

    reading.py     a text into directives with their lines; what nginx could not read is told with its line
    pasting.py     the output of `nginx -T`, and what becomes of every `include`
    grammar.py     where each directive may stand, and with how many arguments
    shaping.py     a snippet put into the blocks that it lacks
    settling.py    what the lab refuses, sets aside or answers itself: the tables are in tables.py
    listening.py   the ports that it listens on, and which of them is the door
    aiming.py      where each proxy_pass leads, by the names that the text has for it
    site.py        all of these, one after the other
    completing.py  the whole configuration for one place: ports, folders, upstreams
    writing.py     directives as text

The model is made from the same tree:

    known.py       what each directive has to do with an upgrade: one table; effects.py says it by its arguments
    levels.py      http, server, location, if: what each inherits
    locations.py   which server and which location
    layout.py      all of a configuration, made ready
    heads.py       the requests that nginx reads; answer_heads.py its upstreams' answers, targets.py the paths
    trip.py        one request, and what is known of it; variables.py what stands for it in the text
    rewriting.py   set, if, rewrite, return
    routing.py     the phases of a request
    fields.py      field lines, on the way there and back
    relaying.py    answers of upstreams; answering.py those of its own, pages.py their bytes
    model.py       these, as the machine under every model asks for them
"""

from labkit.proxies.nginx.described import Nginx

__all__ = ["Nginx"]

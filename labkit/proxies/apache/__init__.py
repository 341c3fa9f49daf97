"""Apache httpd: its configuration read, completed and described.

directives.py   every directive, and the module that provides it
treatment.py    what becomes of each: kept, set aside, refused
reading.py      lines, words and sections, each with its line
resolving.py    variables, macros, <IfModule> and its like, files to include
treating.py     what is kept, set aside and refused of one configuration, and where it leads
upstreams.py    the URLs of backends, and how they are pointed at the lab
doors.py        ports and virtual hosts
modules.py      which modules are loaded
completing.py   the whole text that httpd is given
described.py    Apache, the frozen description

known.py        what each directive does to an upgrade, and whether the model knows it
effects.py      the same, where it depends on the arguments
settings.py     the directives that hold for a request, asked for by name
hosts.py        virtual hosts and locations
patterns.py     the regular expressions of a configuration
targets.py      paths: normalised, decoded, encoded anew
rewriting.py    mod_rewrite
workers.py      backends and balancers with their parameters
mapping.py      where a request goes
heads.py        which heads are read, of requests and of answers
ledger.py       field lines with an account of what became of each
editing.py      RequestHeader and Header
fields.py       the field lines that go to the backend
relaying.py     what is made of its answers
pages.py        httpd's own pages, word for word
answering.py    httpd's own answers
model.py        the model
"""

from labkit.proxies.apache.described import Apache

__all__ = ["Apache"]

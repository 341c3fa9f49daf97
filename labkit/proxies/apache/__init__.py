"""Apache httpd: its configuration read, completed and described.

directives.py   every directive, and the module that provides it
treatment.py    what becomes of each: kept, set aside, refused
reading.py      lines, words and sections, each with its line
resolving.py    variables, macros, <IfModule> and its like, files to include
treating.py     what is kept, set aside and refused of one configuration, and where it leads
upstreams.py    the URLs of backends, and how they are pointed at the lab
authority.py    whether a request can run into the host of such a URL
doors.py        ports and virtual hosts
modules.py      which modules are loaded
completing.py   the whole text that httpd is given
described.py    Apache, the frozen description
"""

from labkit.proxies.apache.described import Apache

__all__ = ["Apache"]

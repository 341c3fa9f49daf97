"""Proxies, described by their own configuration text: read, completed, and modelled without any I/O.

directive.py   what every configuration is read into: directives with their lines
described.py   what every proxy has in common: a text, notes on it, upstreams
model.py       what a model decides, and in which terms
gateway.py     the machine that carries it out: two legs, requests and answers, the tunnel, time limits
requests.py    reading what a client sends
answers.py     reading what an upstream sends
rounds.py      what became of each request
near.py        the side of the machine that faces the client
far.py         the side of the machine that faces an upstream
content.py     where the content of a request or an answer ends
nginx/         reading, completing and modelling nginx
apache/        reading, completing and modelling Apache httpd
haproxy.py     HAProxy: completed, and run for real only; its words in haproxy_words.py, its syntax in haproxy_lines.py
caddy.py       Caddy, likewise, with caddy_words.py and caddy_text.py
"""

"""Proxies, described by their own configuration text: read, completed, and modelled without any I/O.

What lies where:

    directive.py   what every configuration is read into: directives with their lines
    described.py   what Nginx, Apache, Haproxy and Caddy have in common: a text, notes on it, upstreams
    gateway.py     the machine under every model: two legs, heads, content, the tunnel, time limits
    nginx/         reading, completing and modelling nginx
    apache/        reading, completing and modelling Apache httpd
    others.py      HAProxy and Caddy: completed, and run for real only
"""

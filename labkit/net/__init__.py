"""All sockets, threads, processes, clocks and entropy of the lab.

loop       a thread with an event loop of its own, and the end of all of them
wire       drives one party over one connection
listener   what listens on loopback: the server, the tap, and proxies
real       a proxy's program, started from its configuration and stopped for sure
legs       what the hops of one exchange carried, brought together
"""

"""All sockets, threads, processes, clocks and entropy of the lab.

machine    what all of it takes, and a Python in a browser has not
loop       a thread with an event loop of its own, and the end of all of them
wire       drives one party over one connection
listener   what listens on loopback: the server, the tap, and proxies
run        a scenario for real, with what stands for each proxy in it:
             real_proxy    its program, with a tap before it; real starts it, proxy_programs knows how
             model_proxy   its model, on sockets
legs       what the hops of one exchange carried, brought together
fidelity   the models held against the programs, cell by cell
"""

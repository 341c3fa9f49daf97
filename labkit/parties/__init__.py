"""The parties of an exchange, sans-I/O: bytes in, bytes out, plus deadlines.

    Party           what a driver (in memory or on sockets) needs to know of any of them
    ServerParty     reads requests with h11, decides, answers, hands over at the 101
    ClientParty     sends an offer, reads the answer, hands over at the 101
    Offer, Server   what a client sends, and what a server is told to be: frozen descriptions
    FAULTS          what a server can be told to do wrong, with the rules that it breaks
    evaluated       every test that a server makes of a request, in order, and its decision
    Conversation    what is spoken after the switch, and the `Stream` that handlers are given

Clock and entropy are parameters: in memory both are the lab's own, so the same scenario gives the same
bytes on every machine.
"""

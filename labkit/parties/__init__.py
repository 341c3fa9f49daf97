"""The parties of an exchange, sans-I/O: bytes in, bytes out, plus deadlines.

    Party           what a driver (in memory or on sockets) needs to know of any of them
    ServerParty     reads requests with h11, decides, answers, hands over at the 101
    ClientParty     sends an offer, reads the answer, hands over at the 101
    Conversation    what is spoken after the switch, and the `Stream` that handlers are given

Clock and entropy are parameters: in memory both are the lab's own, so the same scenario gives the same
bytes on every machine.
"""

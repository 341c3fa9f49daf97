"""Named cases as data: the handshake corpora for servers and for clients, and the catalogue of failures."""

"""Named cases as data: the handshake corpus for servers, and the one for clients."""

"""How a pasted command line is read: bash's and cmd's words, and curl's options, with no shell."""

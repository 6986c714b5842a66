"""One short function per message: message and rows in, decisions out. No I/O, no clock."""

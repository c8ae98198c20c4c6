"""`./learn backup` and `./learn restore`: all databases of a system as they were at one moment, in one file."""

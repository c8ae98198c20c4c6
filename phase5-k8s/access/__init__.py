"""Who is calling, and may they: tokens, keys, and the interceptors that ask. Plugged in through chassis/plugs.py."""

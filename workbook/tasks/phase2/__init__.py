"""The tasks of lesson 2."""

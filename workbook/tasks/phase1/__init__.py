"""The tasks of lesson 1."""

"""The tasks of lesson 4."""

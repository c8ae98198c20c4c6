"""The tasks of lesson 5."""

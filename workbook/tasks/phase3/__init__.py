"""The tasks of lesson 3."""

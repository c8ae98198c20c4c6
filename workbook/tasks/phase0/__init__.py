"""The tasks of notebooks/start_here.ipynb."""

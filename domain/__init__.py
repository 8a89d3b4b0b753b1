"""Every decision about warnings, as pure functions over frozen values.

Nothing here reads a clock, a file, a database, the environment or a network; time and ids are arguments.
It imports the standard library and pydantic, and shapely in `geometry.py` alone.
"""

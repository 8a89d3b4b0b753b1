"""Fetches what agencies publish: feeds of CAP, lists of what is in force, folders of 12379 files."""

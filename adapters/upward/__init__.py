"""Passes every release on to parent systems, as 12379 and CAP, and reads what they answer."""

"""Tests of the 12379 form."""

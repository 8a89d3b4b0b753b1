"""Tests of the path upward."""

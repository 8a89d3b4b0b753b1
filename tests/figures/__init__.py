"""Figures of QUALITY.md that are counted rather than timed: each a module, run by hand or small in the tests."""

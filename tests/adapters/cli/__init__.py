"""Tests of the command line, on real platforms in directories of their own."""

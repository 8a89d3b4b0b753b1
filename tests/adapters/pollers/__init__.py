"""Tests of the pollers: real servers on loopback, real folders, a clock set by hand."""

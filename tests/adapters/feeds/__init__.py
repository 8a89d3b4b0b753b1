"""Tests of list profiles and the reading of lists."""

"""Tests of the stages and the embedded runner, over the real log and read tables."""

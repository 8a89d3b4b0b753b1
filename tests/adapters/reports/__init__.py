"""Tests of the monthly report's words, charts, files and commands."""

"""Tests of the HTTP intake, against a real server on a free port of the loopback."""

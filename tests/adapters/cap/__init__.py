"""Tests of the CAP adapter."""

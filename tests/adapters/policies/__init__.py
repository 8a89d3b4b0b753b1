"""Tests of the shipped policies and the hazard catalogue."""

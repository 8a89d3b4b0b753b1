"""Tests: adapters gazetteer."""

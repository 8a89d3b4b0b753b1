"""Tests of the safe XML parser: every attack is refused, and texts stay whole."""

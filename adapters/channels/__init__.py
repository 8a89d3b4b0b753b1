"""The ways out: mail, short messages, screens, voices, and the spool, which sends nothing. One file for each."""

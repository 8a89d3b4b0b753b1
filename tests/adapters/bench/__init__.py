"""What the stores promise beyond the contract suites of their ports."""

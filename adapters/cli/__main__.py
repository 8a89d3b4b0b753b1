"""`python -m adapters.cli`: the command `outlet` where it is not installed."""

from adapters.cli.app import main

main()

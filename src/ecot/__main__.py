"""`python -m ecot`, the same as `ecot`."""

from ecot.cli import main

main()

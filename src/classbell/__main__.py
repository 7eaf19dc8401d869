"""``python -m classbell``: the command line."""

from classbell.cli import main

main()

"""``python -m geocbar``."""

from geocbar.app.cli import main

main()

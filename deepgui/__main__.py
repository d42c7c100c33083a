"""``python -m deepgui``: the same as the command."""

import sys

from deepgui.cli import main

if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python
"""The front door of every command: `python manage.py help`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import frontdoor

    frontdoor.main(sys.argv)


if __name__ == "__main__":
    main()

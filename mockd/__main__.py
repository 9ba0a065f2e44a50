"""`python -m mockd` is the same as `mockd`."""

from __future__ import annotations

from mockd.cli.main import main

if __name__ == "__main__":
    main()

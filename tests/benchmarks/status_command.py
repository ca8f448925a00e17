"""The command `slipway`, as its entry point calls it, from this repository's own code."""

from slipway.cli import main

if __name__ == "__main__":
    main()

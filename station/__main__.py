"""`python -m station` is the `station` command."""

from station.cli.app import main

if __name__ == "__main__":
    main()

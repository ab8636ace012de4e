"""Runs the measurements named on the command line, or all of them."""

import importlib
import sys

MEASUREMENTS = ("schema_build", "nested_query", "store_drivers")


def main() -> None:
    chosen = sys.argv[1:] or MEASUREMENTS
    if unknown := set(chosen) - set(MEASUREMENTS):
        sys.exit(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    for name in chosen:
        print(f"\n== {name}")
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()

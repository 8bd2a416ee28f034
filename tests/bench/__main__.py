"""``python -m tests.bench [NAME ...]``: run benchmarks by name, or all of them, and write their pages."""

from __future__ import annotations

import sys
from importlib import import_module

#: Name on the command line and module; each module has ``run()``, which returns the path of the page it wrote.
BENCHES = {
    "accuracy": ".accuracy",
    "reading": ".reading_page",
    "place": ".place",
    "performance": ".performance",
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. Choose from: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        print(f"{name} -> {import_module(BENCHES[name], __package__).run()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

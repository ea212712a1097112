"""Runs linters of pkilint over many files in one process, which starts slowly, and prints what they find.

Each argument is a linter's name and its own arguments, such as "lint_pkix_cert ca.pem". Advice is left out only where it
is mere information.
"""

import importlib
import sys

for job in sys.argv[1:]:
    linter, *arguments = job.split()
    main = importlib.import_module(f"pkilint.bin.{linter}").main
    if main(["lint", "--severity", "NOTICE", *arguments]) != 0:
        print(f"found by {job}")

"""What the code defends itself with, against what, and which tests notice when a guard is gone.

``python -m tools.guards`` takes each guard out of a copy of the code and has its tests run: they
must fail. It takes about ten minutes and is run by hand; CI checks that the table is true to the
code (``tests/unit/tools/test_guards.py``). docs/security.md shows the same table.
"""

"""`mockd torture`: a command reads every legal form of a stream, and what it gets wrong is made small.

source ─▶ mock ─▶ variants ─▶ bench: a key for each run, the command, the journal ─▶ verdicts ─▶ shrink ─▶ a file
"""

from __future__ import annotations

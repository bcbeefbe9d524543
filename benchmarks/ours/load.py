"""Loads one rulebook in a fresh process and says how long that took, imports aside."""

from __future__ import annotations

import json
import sys
import time

from specforge.elaborate import load

began = time.process_time()
system, diagnostics = load(sys.argv[1])
answer = "ok" if system is not None else "; ".join(each.message for each in diagnostics[:3])
print(json.dumps({"answer": answer, "seconds": time.process_time() - began}))

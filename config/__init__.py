"""Wiring. Whatever starts Headgate imports this before anything else."""

from __future__ import annotations

import os

# Before numpy, which reads them once: on matrices as small as ours several threads of a busy machine take many times
# the CPU of one, and every worker is a process of its own anyway. Who wants more sets them in the environment.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

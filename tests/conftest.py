"""What all tests share: the processor only, figures without windows, repeatable random examples, one compile cache."""
from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most of a run's time would be the compiler's, over programs that then run for moments. What users get is tested with
# `XLA_FLAGS= scripts/test`.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
                                   "--xla_cpu_use_fusion_emitters=false")

settings.register_profile("pellucid", deadline=None, derandomize=True, database=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.load_profile("pellucid")

if "PYTEST_XDIST_WORKER" not in os.environ:
    # Made by the first process of a run, and passed on to workers and to what tests start: nothing is compiled twice,
    # and nothing depends on, or is left in, the user's own cache.
    CACHE = tempfile.mkdtemp(prefix="pellucid-tests-")
    atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
    os.environ |= {"PELLUCID_CACHE": CACHE, "JAX_COMPILATION_CACHE_DIR": CACHE,
                   "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}

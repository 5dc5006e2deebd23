"""How much memory training will take, and how much it took."""
from __future__ import annotations

import sys
from pathlib import Path

import jax

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None


def predicted_peak(more: int) -> int:
    """The most bytes that will be in use once a program runs that needs so many `more` than are in use now.

    On a CPU this is memory of the whole process, so that it can be compared with `measured_peak`; on an accelerator
    it is memory of the device.
    """
    on_device = _device_statistics()
    if on_device:
        return on_device.get("bytes_in_use", 0) + more
    return max(measured_peak(), _resident() + more)


def measured_peak() -> int:
    """The most bytes that were in use so far: of the device if it keeps count, else of this process."""
    on_device = _device_statistics()
    if on_device:
        return on_device.get("peak_bytes_in_use", 0)
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _device_statistics() -> dict[str, int]:
    return jax.local_devices()[0].memory_stats() or {}


def _resident() -> int:
    """Bytes of this process in memory now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return measured_peak()
    return pages * resource.getpagesize()

"""What keys and tokens of well-known services look like."""

from __future__ import annotations

import re

# Keys of well-known services have distinctive prefixes.
SERVICE_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)_\w{6,}|rzp_(?:live|test)_\w{8,}|whsec_\w{8,}|gh[opsur]_\w{16,}|"
    r"github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|"
    r"SG\.[\w-]{10,}\.[\w-]{10,}|hvs\.\w{10,}|npg_\w{8,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|"
    r"hf_[A-Za-z0-9]{30,}|dop_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-f]{16,}|sk-(?:proj-|ant-)?\w{20,})"
)
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{10,}")

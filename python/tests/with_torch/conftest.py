"""Models that are torch Modules. Nothing here runs where torch is not installed."""

import importlib.util

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["*"]

"""Reading shell text without running it: what it exits with, which programs it calls, what it does to variables.

``parser`` is the only module that knows tree-sitter. ``exit_codes``, ``programs`` and ``dataflow`` read its trees, and
``ruby`` follows code in Ruby; ``words`` splits command lines and finds the shells that they call; ``values`` and
``filters`` compute with partly known values.
"""

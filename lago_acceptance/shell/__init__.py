"""Reading shell text without running it: what it exits with, which programs it calls, what it does to variables.

``parser`` is the only module that knows tree-sitter. ``exit_codes`` and ``dataflow`` read its trees; ``words`` splits
command lines and tells how a shell is called; ``values`` and ``filters`` compute with values that are known in part.
"""

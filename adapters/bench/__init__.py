"""What `outlet bench` measures: one file per figure of docs, each with `measure(rounds) -> list[Row]`.

Here: our side and the side beside it, run in turn in one process, and the ratio of the two. Absolute times are
not reported. Not here: timed assertions; a slow machine is not a broken promise.
"""

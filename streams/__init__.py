"""The path of a message as stages, one file each; `pipeline.STAGES` names them in order.

Here: the stages, the place for what could not be processed, and the two runners (embedded, Kafka).
Not here: decisions (they are in `domain`), and whatever is outside, which comes through `domain.ports`.
"""

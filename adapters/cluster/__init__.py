"""The processes of a distributed outlet: what each is made of, who of several works, and how it says that it is well.

Not here: what a record means, and what a stage does with it; that is in `streams`.
"""

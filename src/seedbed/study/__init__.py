"""Many runs that answer one question: planned, made, taken up again where they stopped, concluded.

What enters is a sweep: keys with several values, or ranges to search. `outline` takes it apart,
`strategy` and `trials` say which runs come next, wave by wave, `runner` makes those that are not on
record, `conclude` writes tables and verdicts to the study's own MLflow run.

It refuses to know how and where a run is trained: resolved jobs go to a launcher, and what was found
is read back from the record, never from memory, so it says what a colleague will find there.
"""

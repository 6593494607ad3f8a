"""Many runs, one table, one verdict.

What enters is a sweep: overrides with several values a key. What leaves is one MLflow parent run
whose children are the runs, with mean, spread and interval of every setting on it.
From the record it compares settings: groups runs, pairs them, tests the differences and tells them in
words (`compare`); the statistics are SciPy's and statsmodels', on plain arrays.

It refuses to know how a run is trained: jobs go to Hydra's launcher as finished overrides, and the
table is read back from the record, never from memory, so it says what a colleague will find there.
A failed job is counted and named; it is never silently dropped from a mean.
"""

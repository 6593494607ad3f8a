"""Where a run's processes are: started, joined, and heard when they end.

What enters is a job and the folder of its open record; what leaves is the outcome that the first
rank wrote, or the error of the rank that failed first. `group` is the side of the process that holds
the record, `rank` that of each process that trains, `ending` the word between them.

This room knows nothing of networks and losses: a rank does what `growing` does, which does not know
how many there are. Nobody re-executes a user's command here, because under a multirun that would
start the sweep once more in every rank.
"""

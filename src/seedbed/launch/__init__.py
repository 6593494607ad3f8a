"""Where runs are made and how many at a time: in this process, in several of its own, on a cluster.

What enters are jobs, resolved; what leaves is how each ended, as soon as it has. `launcher` is the
interface, `here` and `local` the two of this machine (`devices`: never two runs on one GPU), `stacked`
has runs that differ in a few numbers trained as one model, `slurm` is the one of a cluster: `snapshot`
keeps the code as it is at submission, `queue` asks the scheduler, `node` is what a job does there, with
the one rule on who queues it again. `task` is the folder in which a job waits and says how it went,
`errand` the program that carries it out; `watching` tells of all that, `cancelling` ends it.

This room knows nothing of studies and settings, and no process here re-executes a user's command.
"""

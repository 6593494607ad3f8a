"""Runs that differ in a few numbers, trained together in one process for little more than the price of one.

What enters are jobs; what leaves is how each ended. `sorting` says which jobs form a stack and why the
others do not, without torch, because a plan is told before anything is imported. `member` is one run
of a stack, from the first line of its record to the last: made, saved, evaluated and closed by the
code that serves a run of its own. `network`, `loss` and `optimizer` are the members' models side by
side, [member, ...]; each member's own parameters are views of them. `training` takes all of them
through the epochs, and lets one that fails or is pruned go alone.

This room knows nothing of studies, and nothing of what is put into a record.
"""

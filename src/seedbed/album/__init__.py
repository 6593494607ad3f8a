"""Pictures of a run and of what its model looks at, from the record alone.

What enters is a `Subject`: a run with the files that it keeps. What leaves is a `Picture`, or None where
the run has nothing of the kind. `makers` is the table of all of them.

This room reads no data file and trains nothing. It shows no map of what a network looks at before the
same method, on the same network with random weights, has been seen to give another map.
"""

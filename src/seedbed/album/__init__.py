"""The pictures of one run and of what its model looks at, made from its record alone.

What enters is a run with the files that it keeps: metrics, predictions, worst examples, the fitted
model. What leaves are pictures, which become artifacts `pictures/` of the run. `makers` lists a maker a
picture; one that finds nothing to draw in a run says None, and one that fails is told and costs neither
the run nor the others. Statistics are made here, lines and dots in `picture`.

It refuses to look at data files or to train: what is drawn in a year is what was so on the day. It shows
no map of what a network looks at before the same method, on the same network with random weights, has
been seen to give another map.
"""

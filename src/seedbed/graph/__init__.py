"""What a network and its objective compute for one batch, as a graph: forwards, and backwards.

What enters is a job, or a shape of images that are drawn at random; nothing is trained and no record is
read or written. `scene` is the network with its first weights and the first batch; `computation` says in
modules what training minimises, `capture` has torch.export write that down and runs it node by node,
for values and gradients. `functions` is the other graph, the one that autograd links while that runs.
`folding` gathers nodes into boxes, `words` says what stands in them, `layers` counts parameters and
multiply-adds, `sheet` is all of it as pictures and tables.

This room refuses to know how a network is made: a graph that each model drew for itself would show what
its author had meant.
"""

"""How good the answers are: what enters is log-probabilities and labels, what leaves is numbers.

`collection.Metrics` accumulates over examples, never over batches; `glossary` says what each number
means and which way is better. Sums are cut into chunks of one size, so that neither the batch size
nor an interruption can move a bit, and every state is a sum or a list that ranks can join. The room
knows nothing of networks, data sets, optimisers or records: a metric that knew them could flatter
them. Metrics of torchmetrics stand where they are exact, memory-bounded and quiet; where they are
not (calibration at p = 1, AUROC without a class, counting in deterministic mode) stands a metric of
ours on torchmetrics' own base class, and says why.
"""

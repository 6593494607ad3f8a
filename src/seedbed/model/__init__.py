"""Models: the seed that grows on the data.

What enters: inputs of a known shape, and per-example keys where dropout is to silence units. What
leaves: logits, and through the network's `likelihood` their one meaning: a loss in nats and
log-probabilities. `network` is the contract, `linear`, `mlp`, `cnn`, `resnet9` and `alexnet` keep it;
`separability` and `inference` say what a fit of a convex model is worth.
What it refuses to know: where examples come from, how weights are improved, what is recorded. Weights
are drawn by torch's own initialisers from the global generator, which the caller seeds; nothing else
here is random, for a dropout mask is a pure function of (key, layer, unit).
"""

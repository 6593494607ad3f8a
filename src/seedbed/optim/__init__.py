"""How an objective and its gradient become steps: penalty, schedule, groups, sense.

What enters are weights, step numbers and the optimiser's settings; what leaves is a number to add to
the loss, a factor on the learning rate, the groups an optimiser is built from, or a refusal. The
optimisers themselves are torch's. The room knows nothing of networks beyond their parameters, nor of
data or records. Everything here is a pure function of its arguments: a schedule that remembered its
calls could not resume, and a penalty that found its own weights would one day find the biases.
"""

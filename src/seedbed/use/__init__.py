"""A recorded model in use: predicting, tested on other data, calibrated, exported, registered.

What enters is a run of the record, and files or data that its model has not seen; what leaves are
probabilities, a child run, a temperature, a file that other programs run, a version in MLflow's
registry. The preprocessing is always the run's own, taken from its record and never fitted again.

Nothing is resized, recoloured or rescaled unless the run's own data was; an input that does not fit is
named and left out, and the rest goes on. A read of a test split is counted before it happens. This room
trains nothing, and knows nothing of figures.
"""

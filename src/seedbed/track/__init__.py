"""The record: what enters are plain values, files and metric points, what leaves is one MLflow run.

Metric points go to an append-only journal on local disk first and from there to the store in
batches, so that no point is lost or doubled, whatever dies. A run has one owner, named by its id:
nothing here reads or writes MLflow's global state, because two runs in one process, or a stray
environment variable, would otherwise end up in each other's record. The room has never heard of
data sets, networks or Hydra: it keeps what it is given.
"""

"""Seedbed: image classifiers grown under replication, every run on record.

A learning algorithm is a seed, data is the soil. Four ingredients that know nothing of one another:

    data      where examples come from, how they are cut, ordered, augmented and batched
    model     networks from inputs to logits, and the likelihood that gives logits a meaning
    metric    what is reported, accumulated over examples
    optim     penalties, schedules, parameter groups, and which settings make sense together

One place joins them: `assembly` (config to parts), `classifier` (the LightningModule), `objective`
(what it minimises) and `tally` (what that came to, step by step). `train` is one run from a job to a
closed record: `recording` opens and closes it, `growing` is what each process does, with `callbacks`
after each epoch, `saving` between steps and `stopping` for signals. `ranks` starts the processes that
share a run, `strategy` says how they do (`sharded`: each with a part of the weights) and `seat` which
of them this is. `checkpoint` finds where a run that was cut off goes on, `resuming` what may have
changed meanwhile, `pruning` lets a search end it early through its `trial`. `track` is the record in
MLflow; `predictor` is the fitted model in use; `graph` is what a model computes for its first
batch, drawn.

Many runs: `study` plans and concludes them, `launch` has them made, in this process, in several or on a
cluster, `stack` trains those that differ in a few numbers as one model, `verdict` says from recorded runs
which setting is better and how sure that is, `report` hands it on as a page, `picture` draws from plain
numbers. `cli` holds the verbs and `manual` their words.

Below all: `config` (types of every key), `precision` (of numbers), `job` (one run as a value;
`resuming` puts it under other circumstances), `streams` (random streams), `shapes` (axes) and `errors`.
Imports run downwards only, siblings never; import-linter checks it.
"""

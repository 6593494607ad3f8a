"""Data: where examples come from and how they are batched.

What enters: files or an embedded table, a batch size, fractions or folds, the split, order and augmentation
streams. What leaves: loaders of `Batch` records, the `Facts` a model must be told, the
`Preprocessing` a served model needs, and the identity of every split.
What it refuses to know: models, losses, optimisers, trackers. A source is decoded once and held once
(uint8 images, float64 tables); a batch is one selection of rows, and whatever is done to it is done to
the whole batch. Order and augmentation are pure functions of (stream, epoch, example index), so
neither workers nor ranks nor a resumed run can see other numbers.
"""

"""From recorded runs to words: which setting is better, by how much, and how sure that is.

What enters are runs as the record has them, of this program or of another, in any state. What leaves
are settings with mean, spread and interval, pairs with a difference and all that limits it, and
sentences. The statistics are SciPy's and statsmodels'; what neither has (the correction for folds, the
seeds that an open question needs) stands here with its source and is tested against enumeration.

It refuses to know how a run came about, and never loads torch: an answer must not take longer than the
question. What does not count is named; nothing is silently dropped from a mean.
"""

"""Re-runs a record and says whether it holds.

What enters is a record: job, code, packages, digests of data and weights, every metric to the last
bit. What leaves is a judgement (identical, same metrics, within tolerance, same distribution,
different) with the first place that differs and the recorded differences that could explain it; or,
without running anything, whether a record is whole and what tells two of them apart; or an archive
from which all that works elsewhere.

This room trusts no record: what it reads is checked against digests, and of foreign files only
tensors are unpickled. It trains nothing itself; that is `train`'s.
"""

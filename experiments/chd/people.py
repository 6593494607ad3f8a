"""The 33 people of the lecture's table 1, and the age groups of its table 2."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.special import logit
from statsmodels.stats.proportion import proportion_confint

from experiments.lecture import job_of
from seedbed.assembly import data_of
from seedbed.picture.dose import Share
from seedbed.streams import spawn

Ages = Float64[np.ndarray, " person"]
Outcomes = Int64[np.ndarray, " person"]
DECADES = range(20, 90, 10)


class People(NamedTuple):
    """Age in years, and 1 with the disease."""

    ages: Ages
    outcomes: Outcomes

    def without(self, person: int) -> "People":
        """All but one."""
        return People(np.delete(self.ages, person), np.delete(self.outcomes, person))

    def drawn(self, places: Int64[np.ndarray, " person"]) -> "People":
        """Those at these places, any of them as often as it is named."""
        return People(self.ages[places], self.outcomes[places])


def people() -> People:
    """As `data=chd` holds them, in file order."""
    data = data_of(job_of(Path("unused"), ["data=chd"]).config)
    data.setup(spawn(0), dtype=torch.float64)
    labels = torch.cat([batch.labels for batch in data.train_inputs()])
    return People(data.raw_examples(len(labels))[:, 0].numpy(), labels.numpy())


def shares(told: People) -> list[Share]:
    """Table 2: the share with the disease in each decade of age, with Wilson's 95 % interval."""
    return [_share(told, decade) for decade in DECADES]


def _share(told: People, decade: int) -> Share:
    inside = (told.ages >= decade) & (told.ages < decade + 10)
    num_true, num = int(told.outcomes[inside].sum()), int(inside.sum())
    low, high = proportion_confint(num_true, num, method="wilson")
    return Share(decade, decade + 9, num_true, num, num_true / num, float(low), float(high))


def in_log_odds(share: Share) -> Share:
    """The same share and interval as log odds, infinite where all are of one outcome."""
    # Rounding leaves Wilson's end at 0 or 1 an odd 1e-17 away from it.
    low, high = (end if 1e-9 < end < 1 - 1e-9 else round(end) for end in (share.low, share.high))
    value, low, high = (float(logit(part)) for part in (share.value, low, high))
    return share._replace(value=value, low=low, high=high)

"""Seeds of a study: generated from its root seed, never picked."""

from hashlib import sha256

# Seeds of one stage lie in a block of their own, so that fresh seeds are fresh by construction.
BLOCK = 1_000_000
STAGES = ("search", "finalists", "refit")


def generated(root: int, stage: str, num_seeds: int) -> list[int]:
    """Distinct seeds of one stage of a study; more of them begin with the same ones.

    Args:
        root: the study's root seed, 0 or more.
        stage: one of `STAGES`; no two stages share a seed.
        num_seeds: how many, from 0 to 1,000,000.

    Example:
        >>> generated(0, "search", 3)[:2] == generated(0, "search", 2)
        True
    """
    found: dict[int, None] = {}
    place = 0
    while len(found) < num_seeds:
        digest = sha256(f"seedbed study {root} {stage} {place}".encode()).digest()
        found[int.from_bytes(digest[:8]) % BLOCK + BLOCK * STAGES.index(stage)] = None
        place += 1
    return list(found)

"""How many faults a sample needs, and what a count in it says of the whole."""

import math
from statistics import NormalDist


def sample_size(population, confidence, margin):
    """Faults to draw so that each rate is known to +- margin (Leveugle et al., "Statistical fault injection", DATE 2009,
    equation 4, with p = 1/2, the worst case)."""
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    return min(population, math.ceil(population / (1 + margin**2 * (population - 1) / (quantile**2 / 4))))


def _tail(hits, sample, rate, step):
    """Probability of `hits` or more (step 1) or of `hits` or fewer (step -1), where the terms fall from `hits` on."""
    log_term = (math.lgamma(sample + 1) - math.lgamma(hits + 1) - math.lgamma(sample - hits + 1)
                + hits * math.log(rate) + (sample - hits) * math.log1p(-rate))
    term, total, count = math.exp(log_term), 0.0, hits
    while 0 <= count <= sample and term > total * 1e-17:
        total += term
        odds = rate / (1 - rate)
        term *= (sample - count) / (count + 1) * odds if step > 0 else count / (sample - count + 1) / odds
        count += step
    return total


def _solve(hits, sample, level, step):
    """The rate at which that tail has the probability `level`."""
    low, high = (0.0, hits / sample) if step > 0 else (hits / sample, 1.0)
    for _ in range(80):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        # The upper tail grows with the rate, the lower one shrinks.
        if (_tail(hits, sample, middle, step) < level) == (step > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(hits, sample, confidence):
    """The exact interval of a rate (Clopper and Pearson 1934), from `hits` in `sample`."""
    if sample == 0:
        return 0.0, 1.0
    level = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solve(hits, sample, level, 1)
    high = 1.0 if hits == sample else _solve(hits, sample, level, -1)
    return low, high

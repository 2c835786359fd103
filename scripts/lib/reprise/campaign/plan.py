"""Which faults a campaign makes, and for which of them it needs no run. The same description and the same golden runs always give
the same plan."""

import hashlib
import json
import random
from dataclasses import dataclass, field

from .statistics import sample_size


def has_run(known):
    """Whether a fault of which this is known has a run of its own."""
    return not {"dead", "same_as"} & set(known)


@dataclass(frozen=True)
class Planned:
    number: int   # of the fault in the campaign, from 0
    job: int      # faults of a job are done together or not at all
    series: str
    fault: dict
    # {"dead": why, ...} or {"same_as": number of the fault whose run stands for it, too, ...} of a fault that has no run of its own.
    # Of one that has: {"used_by": address}, or {} (Outer.resolve).
    known: dict = field(default_factory=dict)

    @property
    def has_run(self):
        return has_run(self.known)


@dataclass(frozen=True)
class Plan:
    populations: dict  # series -> how many faults there are
    faults: list

    def digest(self):
        """Differs when the plan does. Where nothing is known of a fault, it is that of a plan without pruning."""
        told = [{key: value for key, value in each.__dict__.items() if key != "known" or value} for each in self.faults]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def jobs(self, shard=(1, 1)):
        """Number of each job of a shard, and its faults."""
        index, count = shard
        jobs = {}
        for each in self.faults:
            if each.job % count == index - 1:
                jobs.setdefault(each.job, []).append(each)
        return jobs


def _divided(injector, faults, known):
    """Numbers of the faults of each job. Those that share a run are in its job. All that need none are the last job."""
    run = [number for number, each in enumerate(known) if has_run(each)]
    jobs = [[run[place] for place in places] for places in injector.divide([faults[number] for number in run])]
    job_of = {number: job for job in jobs for number in job}
    for number, each in enumerate(known):
        if "same_as" in each:
            job_of[each["same_as"]].append(number)
    dead = [number for number, each in enumerate(known) if "dead" in each]
    return jobs + [dead] * bool(dead)


def _known(series, injector, golden, faults, scratch):
    return injector.resolve(golden, faults, scratch) if series.prune else [{}] * len(faults)


def _from(begin, known):
    """The same, with the number that the fault has in the campaign."""
    return known | {"same_as": begin + known["same_as"]} if "same_as" in known else known


def make(campaign, injectors, goldens, scratch=None):
    """`injectors` and `goldens` by the series' names. `scratch`: a folder for the runs that say which faults need none."""
    populations, planned, first_job = {}, [], 0
    for series in campaign.series:
        injector, golden = injectors[series.name], goldens[series.name]
        population = populations[series.name] = injector.population(golden)
        count = series.faults or sample_size(population, campaign.confidence, campaign.margin)
        source = random.Random(f"{campaign.seed} {series.name}")
        faults = [injector.draw(golden, source) for _ in range(count)]
        known = _known(series, injector, golden, faults, scratch)
        jobs = _divided(injector, faults, known)
        job_of = {number: first_job + job for job, numbers in enumerate(jobs) for number in numbers}
        begin = len(planned)
        planned += [Planned(begin + number, job_of[number], series.name, fault, _from(begin, each))
                    for number, (fault, each) in enumerate(zip(faults, known, strict=True))]
        first_job += len(jobs)
    return Plan(populations, planned)

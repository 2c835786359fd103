"""Which faults a campaign makes. The same description and the same golden runs always give the same plan."""

import hashlib
import json
import random
from dataclasses import dataclass

from .statistics import sample_size


@dataclass(frozen=True)
class Planned:
    number: int   # of the fault in the campaign, from 0
    job: int      # faults of a job are done together or not at all
    series: str
    fault: dict


@dataclass(frozen=True)
class Plan:
    populations: dict  # series -> how many faults there are
    faults: list

    def digest(self):
        """Differs when the plan does."""
        return hashlib.sha256(json.dumps([each.__dict__ for each in self.faults], sort_keys=True).encode()).hexdigest()

    def jobs(self, shard=(1, 1)):
        """Number of each job of a shard, and its faults."""
        index, count = shard
        jobs = {}
        for each in self.faults:
            if each.job % count == index - 1:
                jobs.setdefault(each.job, []).append(each)
        return jobs


def make(campaign, injectors, goldens):
    """`injectors` and `goldens` by the series' names."""
    populations, planned, first_job = {}, [], 0
    for series in campaign.series:
        injector, golden = injectors[series.name], goldens[series.name]
        population = populations[series.name] = injector.population(golden)
        count = series.faults or sample_size(population, campaign.confidence, campaign.margin)
        source = random.Random(f"{campaign.seed} {series.name}")
        faults = [injector.draw(golden, source) for _ in range(count)]
        jobs = injector.divide(faults)
        job_of = {number: first_job + job for job, numbers in enumerate(jobs) for number in numbers}
        begin = len(planned)
        planned += [Planned(begin + number, job_of[number], series.name, fault) for number, fault in enumerate(faults)]
        first_job += len(jobs)
    return Plan(populations, planned)

"""Runs a campaign: golden runs, the plan, then all jobs that have no results yet, on several processors."""

import contextlib
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from . import InjectionError, outcome, plan
from .inner import Inner
from .outer import PAGE_TABLES, Outer
from .store import Store
from .victim import Victim

INJECTORS = {"outer": Outer, "inner": Inner}


class Bench:
    """Victims and injectors of a campaign, and a scratch folder for them."""

    def __init__(self, campaign, scratch):
        self.scratch = Path(scratch)
        victims, self.injectors, self._keys, self._goldens = {}, {}, {}, {}
        for series in campaign.series:
            place = series.program, series.hardened
            if place not in victims:
                folder = self.scratch / f"victim-{len(victims)}"
                folder.mkdir()
                victims[place] = Victim(campaign.programs[series.program], series.hardened, folder)
            self.injectors[series.name] = INJECTORS[series.injector](series, victims[place])
            self._keys[series.name] = series.injector, series.targets == PAGE_TABLES, *place

    def golden(self, series):
        """The golden run for a series; series that differ in their targets only share it, but
        for page tables, whose words are counted, too."""
        key = self._keys[series]
        if key not in self._goldens:
            self._goldens[key] = self.injectors[series].golden(self.scratch)
        return self._goldens[key]


@contextlib.contextmanager
def bench_of(campaign):
    with tempfile.TemporaryDirectory(prefix="reprise-campaign-") as scratch:
        yield Bench(campaign, scratch)


class Progress:
    """How far a campaign is: one line that is written anew, or on a file a line a minute. It counts faults that have a run, as the
    others take no time."""

    def __init__(self, total, stream=None, clock=time.monotonic):
        self._total, self._stream, self._clock = total, stream or sys.stderr, clock
        self._begin = self._last = clock()
        self._done, self._worst = 0, dict.fromkeys((outcome.SDC, outcome.KERNEL_FAILURE, outcome.INJECTOR_FAILED), 0)

    def line(self):
        took = self._clock() - self._begin
        left = took / self._done * (self._total - self._done) if self._done else 0
        worst = ", ".join(f"{count} {name}" for name, count in self._worst.items())
        return f"{self._done} of {self._total} faults, {duration(left)} left; {worst}"

    def add(self, outcomes, runs):
        """A job is done, and so many of its faults had a run."""
        self._done += runs
        for each in outcomes:
            if each in self._worst:
                self._worst[each] += 1
        if not runs:
            return
        if self._stream.isatty():
            self._stream.write(f"\r{self.line()}\x1b[K" + "\n" * (self._done == self._total))
        elif self._done == self._total or self._clock() >= self._last + 60:
            self._last = self._clock()
            self._stream.write(self.line() + "\n")
        self._stream.flush()


def duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def run(campaign, results, shard=(1, 1), workers=1, progress=Progress, only=""):
    """Does what is left of the campaign's shard; `only`: of the series whose names match."""
    with bench_of(campaign) as bench, Store(results) as store:
        goldens = {series.name: bench.golden(series.name) for series in campaign.series}
        planned = plan.make(campaign, bench.injectors, goldens, bench.scratch)
        store.begin(campaign, goldens, planned)
        done = store.done_jobs()
        jobs = {job: faults for job, faults in planned.jobs(shard).items() if job not in done
                and re.search(only, faults[0].series)}
        _work(jobs, bench, goldens, store, workers, progress(sum(map(_runs, jobs.values()))))


def _runs(faults):
    return sum(each.has_run for each in faults)


def _made(faults, injector, golden, scratch):
    """Number, class and circumstances of each fault of a job. Those that need no run have none (plan.Planned)."""
    run = [each for each in faults if each.has_run]
    try:
        found = injector.run(golden, [each.fault for each in run], scratch) if run else []
    except InjectionError as error:
        found = [(outcome.INJECTOR_FAILED, {"why": str(error)})] * len(run)
    results = {each.number: result for each, result in zip(run, found, strict=True)}
    for each in faults:
        source = each.known.get("same_as", each.number)
        what, details = (outcome.MASKED, {}) if "dead" in each.known else results[source]
        results[each.number] = what, details | each.known
    return [(each.number, *results[each.number]) for each in faults]


def _work(jobs, bench, goldens, store, workers, progress):
    def do(faults):
        series = faults[0].series
        return _made(faults, bench.injectors[series], goldens[series], bench.scratch)

    pool = ThreadPoolExecutor(workers)
    try:
        started = {pool.submit(do, faults): faults for faults in jobs.values()}
        for finished in as_completed(started):
            results = finished.result()
            store.record(results)
            progress.add([each for _, each, _ in results], _runs(started[finished]))
    finally:
        pool.shutdown(cancel_futures=True)

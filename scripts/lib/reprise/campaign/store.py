"""A campaign's results in an SQLite file. A job's results are written in one transaction as soon as it is done. So a campaign
that was killed at any time goes on with the jobs that have none, and no fault counts twice."""

import contextlib
import json
import sqlite3
from pathlib import Path

from . import CampaignError

TABLES = """
CREATE TABLE IF NOT EXISTS campaign (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (number INTEGER PRIMARY KEY, job INTEGER NOT NULL, series TEXT NOT NULL, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS known (number INTEGER PRIMARY KEY REFERENCES fault, how TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS result (number INTEGER PRIMARY KEY REFERENCES fault, outcome TEXT NOT NULL, details TEXT NOT NULL);
"""


class Store:
    def __init__(self, path, must_exist=False):
        if must_exist and not Path(path).is_file():
            raise CampaignError(f"{path}: no such file of results")
        self.path = path
        try:
            self._base = sqlite3.connect(path, timeout=60)
            self._base.executescript(TABLES)
        except sqlite3.Error as error:
            raise CampaignError(f"{path}: {error}") from error

    def close(self):
        self._base.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def kept(self):
        """What begin() wrote down, by key; empty before it."""
        return dict(self._base.execute("SELECT key, value FROM campaign"))

    def begin(self, campaign, goldens, plan):
        """Writes down what is to be done, or makes sure that it is what the file has already."""
        now = {"description": campaign.text, "goldens": json.dumps(goldens, sort_keys=True),
               "populations": json.dumps(plan.populations), "plan": plan.digest()}
        kept = self.kept()
        for key in now:
            if kept and kept.get(key) != now[key]:
                raise CampaignError(f"{self.path} has the results of another campaign: its {key} differ. The description, the "
                                    "kernel or a program has changed; give --results another file")
        if kept:
            return
        with self._base:
            self._base.executemany("INSERT INTO campaign VALUES (?, ?)", now.items())
            self._base.executemany("INSERT INTO fault VALUES (?, ?, ?, ?)",
                                   [(each.number, each.job, each.series, json.dumps(each.fault)) for each in plan.faults])
            self._base.executemany("INSERT INTO known VALUES (?, ?)",
                                   [(each.number, json.dumps(each.known)) for each in plan.faults if each.known])

    def done_jobs(self):
        return {job for job, in self._base.execute("SELECT DISTINCT job FROM fault JOIN result USING (number)")}

    def record(self, results):
        """Results of one job: (number, outcome, details)."""
        try:
            with self._base:
                self._base.executemany("INSERT INTO result VALUES (?, ?, ?)",
                                       [(number, outcome, json.dumps(details)) for number, outcome, details in results])
        except sqlite3.IntegrityError as error:
            raise CampaignError(f"another process works on {self.path}, too: divide the work by --shard, each part with a file "
                                "of its own") from error

    def results(self, series):
        """Number, fault, outcome, details of each fault that is done."""
        rows = self._base.execute("SELECT number, fault, outcome, details FROM fault JOIN result USING (number) "
                                  "WHERE series = ? ORDER BY number", (series,))
        return [(number, json.loads(fault), outcome, json.loads(details)) for number, fault, outcome, details in rows]

    def known(self, series):
        """What is known beforehand of faults, by their numbers (plan.Planned)."""
        rows = self._base.execute("SELECT number, how FROM fault JOIN known USING (number) WHERE series = ?", (series,))
        return {number: json.loads(how) for number, how in rows}

    def planned(self, series):
        return self._base.execute("SELECT count(*) FROM fault WHERE series = ?", (series,)).fetchone()[0]

    def fault(self, number):
        """Series and fault of that number."""
        row = self._base.execute("SELECT series, fault FROM fault WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise CampaignError(f"{self.path} has no fault {number}")
        return row[0], json.loads(row[1])

    def take_over(self, other):
        """All results of another file of the same campaign."""
        kept = self.kept()
        if kept and other.kept() != kept:
            raise CampaignError(f"{other.path} has the results of another campaign than {self.path}")
        with self._base:
            if not kept:
                self._base.executemany("INSERT INTO campaign VALUES (?, ?)", other.kept().items())
                self._base.executemany("INSERT INTO fault VALUES (?, ?, ?, ?)", other._base.execute("SELECT * FROM fault"))
                self._base.executemany("INSERT INTO known VALUES (?, ?)", other._base.execute("SELECT * FROM known"))
            mine = {number: rest for number, *rest in self._base.execute("SELECT * FROM result")}
            for number, *rest in other._base.execute("SELECT * FROM result"):
                if mine.setdefault(number, rest) != rest:
                    raise CampaignError(f"fault {number} has another result in {other.path}: {rest[0]}, not {mine[number][0]}")
                self._base.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?)", (number, *rest))


def merge(target, sources):
    """Puts the results of shards together in a new file."""
    if Path(target).exists():
        raise CampaignError(f"{target} exists already")
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(Store(source, must_exist=True)) for source in sources]
        for each in opened:
            if not each.kept():
                raise CampaignError(f"{each.path} has no results")
        try:
            with Store(target) as merged:
                for each in opened:
                    merged.take_over(each)
        except BaseException:
            Path(target).unlink(missing_ok=True)
            raise

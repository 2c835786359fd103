"""Fault injection campaigns: what scripts/campaign is made of (docs/evidence.md).

description  the checked-in file that says what a campaign does
victim       a program in an image, booted; what was seen of a run
outcome      the class of a run, decided against the golden run
outer        the injector outside the machine (tests/fault_plugin)
inner        the injector inside the kernel (inject=)
plan         draws the faults and divides them into jobs
store        results in SQLite; shards and their merger
conduct      runs the jobs on all processors
statistics   sample sizes and intervals
report       tables, JSON, CSV
analysis     what series of one kind say together; symbols names what was struck
page         the report as HTML, with plots
"""


class CampaignError(Exception):
    """A campaign cannot go on; the text says why."""


class InjectionError(CampaignError):
    """One fault could not be made as planned; the text says why. The campaign goes on, and counts it."""

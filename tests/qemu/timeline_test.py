"""The timeline of scripts/run --trace: it has every PE, and says of each what the report says of all."""

import json
import os
import subprocess
import sys

from boot import TOP, BootTest, native

sys.path.insert(0, str(TOP / "tests" / "scripts"))
import trace_events  # noqa: E402
from reprise import events, timeline  # noqa: E402

BUCKETS = {"p0": (0, 0), "p1": (1, 1), "p2": (2, 2), "p3-4": (3, 4), "p5-8": (5, 8), "p9-16": (9, 16), "p17-32": (17, 32),
           "p33-64": (33, 64), "p65": (65, 1 << 60)}
KEYS = dict(zip(timeline.PHASES, ("load_ns", "first_run_ns", "fault_ns", "rewind_ns", "flush_ns", "second_run_ns",
                                  "convergence_ns", "compare_commit_ns")))


def ns(event, key):
    return trace_events.nanoseconds(event[key])


class Timeline(BootTest):
    def trace(self, *words):
        """What scripts/run --trace makes of these programs: the events, and those of the console."""
        file = self.scratch / "timeline.json"
        ran = subprocess.run([TOP / "scripts" / "run", "--trace", file, *words], capture_output=True, text=True,
                             env={**os.environ, "TERM": "dumb"})
        self.consoles.append(ran.stdout + ran.stderr)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        text = file.read_text(encoding="utf-8")
        self.assertEqual(trace_events.problems(text), [])
        self.assertIn("each is one instruction", json.loads(text)["otherData"]["clock"])
        said = list(filter(None, map(events.parse_event, ran.stderr.splitlines())))
        return json.loads(text)["traceEvents"], said

    def pes_of(self, found, process):
        pid, = [event["pid"] for event in found if event["name"] == "process_name" and event["args"]["name"] == process]
        return [event for event in found if event["ph"] == "X" and event["pid"] == pid and event["name"].startswith("PE ")]

    def assert_as_reported(self, found, said, process):
        """The PEs of one process, held against the report at its end."""
        report = {event.name: event for event in said if event.get("process") == process}
        pes = self.pes_of(found, process)
        self.assertEqual([pe["args"]["pe"] for pe in pes], list(range(1, report["verdicts"].number("pes") + 1)))
        for key in ("restarts", "mismatches"):
            self.assertEqual(sum(pe["args"][key] for pe in pes), report["verdicts"].number(key))
        for end in timeline.ENDS:
            self.assertEqual(sum(pe["args"]["end"] == end for pe in pes), report["ends"].number(end), end)
        for bucket, (low, high) in BUCKETS.items():
            self.assertEqual(sum(low <= pe["args"]["modified_pages"] <= high for pe in pes),
                             report["modified-pages"].number(bucket), bucket)
        self.assertEqual(sum(pe["args"]["write_faults"] for pe in pes), report["page-costs"].number("write_faults"))
        inside = [event for event in found if event["ph"] == "X" and event["pid"] == pes[0]["pid"]]
        for phase, key in KEYS.items():
            took = sum(ns(event, "dur") for event in inside if event["name"] == phase)
            self.assertEqual(took, report["times"].number(key), phase)
        return pes, inside

    def test_two_programs_and_a_flip_are_as_the_report_says(self):
        found, said = self.trace("--append", "inject=pages:20:2:page.3.17:5 priority=pages:5", "--program",
                                 f"sweep={native('sweep')} 10 3000", "pages", "10", "100")
        pes, inside = self.assert_as_reported(found, said, "pages")
        self.assert_as_reported(found, said, "sweep")
        self.assertGreater(len(self.pes_of(found, "init")), 10)
        everything = [event for event in found if event["ph"] == "X" and event["name"].startswith("PE ")]
        everything.sort(key=lambda pe: pe["ts"])
        for pe, after in zip(everything, everything[1:]):
            self.assertLessEqual(ns(pe, "ts") + ns(pe, "dur"), ns(after, "ts"))  # there is one processor

        hit, = [pe for pe in pes if pe["args"]["restarts"]]
        self.assertEqual((hit["args"]["pe"], hit["args"]["mismatches"]), (20, 1))
        first, second = [event for event in inside if event["name"].startswith("attempt ")]
        self.assertEqual((first["args"]["outcome"], second["args"]["outcome"]), ("mismatch", "committed"))
        self.assertEqual(first["ts"], hit["ts"])
        mismatch, flip = [event for event in found if event["ph"] == "i"]
        self.assertEqual((mismatch["name"], flip["name"], flip["args"]["target"]), ("mismatch", "flip caught", "page.3.17"))
        self.assertEqual(mismatch["ts"], second["ts"])

        for pe in pes:  # all of it is phases, but for the way in and out
            end = ns(pe, "ts") + ns(pe, "dur")
            phases = sum(ns(event, "dur") for event in inside
                         if event["name"] in KEYS and ns(pe, "ts") <= ns(event, "ts") < end)
            self.assertLessEqual(phases, ns(pe, "dur"))
            self.assertGreater(phases, 0.8 * ns(pe, "dur"))

    def test_a_process_that_runs_once_and_one_that_is_given_up_have_tracks_too(self):
        outcome = self.boot([["compute", "1000"], ["twice"]], "harden=twice timeline=com2",
                            second_serial=str(self.scratch / "com2"))
        file = self.scratch / "timeline.json"
        with (self.scratch / "com2").open(encoding="utf-8") as port, file.open("w", encoding="utf-8") as made:
            said = timeline.convert(port, made, outcome.events(), "a clock")
        text = file.read_text(encoding="utf-8")
        self.assertEqual(trace_events.problems(text), [])
        self.assertNotIn("damaged", said)
        found = json.loads(text)["traceEvents"]
        unhardened, = outcome.events("unhardened")[:1]
        once = self.pes_of(found, "compute")
        self.assertEqual(unhardened["process"], "compute")
        self.assertEqual(len(once), unhardened.number("pes"))
        self.assertEqual({pe["args"].get("hardened") for pe in once}, {False})
        last = self.pes_of(found, "twice")[-1]
        self.assertEqual((last["args"]["verdict"], last["args"]["restarts"]), ("nondeterministic", 3))
        self.assertEqual(last["args"]["mismatches"], 4)

    def test_nothing_is_written_when_no_timeline_is_asked_for(self):
        port = self.scratch / "com2"
        outcome = self.boot([["compute", "1000"]], second_serial=str(port))
        self.assert_clean(outcome)
        self.assertEqual(port.read_bytes(), b"")
        self.assertEqual(outcome.events("started"), [])

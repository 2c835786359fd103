"""The timeline of scripts/run --trace: what becomes of the kernel's records, held against the Trace Event format."""

import io
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
import trace_events  # noqa: E402
from reprise import events, machine, timeline  # noqa: E402

# PE 7 of process 2: one mismatch, one restart, one flip caught. PE 1 of process 3 ran once.
RESTARTED = ["reprise-timeline 2",
             "p 2 6 1000 500 end 0 0 0 0 0 10 4 0 1", "a committed 10 100 0 50 0 100 0 200",
             "p 2 7 2000 2000 end 5 0 0 1 0 12 5 1 2",
             "a mismatch 10 100 20 150 40 100 30 200", "a committed 10 100 0 50 0 100 30 200",
             "p 3 1 5000 700 end 1 14 0 1 0 0 0 0 0"]
CONSOLE = [events.parse_event("reprise: " + text) for text in (
    "started process=pages pid=2", "flip process=pages pe=7 run=2 moment=end offset=0 target=rax bit=7 outcome=caught")]


def converted(lines, console=CONSOLE):
    """The file's text, and what a person hears of it."""
    file = io.StringIO()
    said = timeline.convert(lines, file, console, "a clock", "a command")
    return file.getvalue(), said


def found(text, name=None, **fields):
    return [event for event in json.loads(text)["traceEvents"] if name in (None, event["name"])
            and all(event.get(key) == value for key, value in fields.items())]


def random_lines(seed):
    """PEs of three processes, one after the other, as a kernel could write them."""
    source = random.Random(seed)
    now, numbers, lines = source.randrange(10**15), {}, ["reprise-timeline 2"]
    for _ in range(300):
        process = source.choice((1, 2, 40))
        numbers[process] = numbers.get(process, 0) + 1
        attempts = [[source.choice((0, 1, source.randrange(10**6))) for _ in timeline.PHASES]
                    for _ in range(source.choice((1, 1, 1, 2, 5)))]
        took = sum(map(sum, attempts)) + source.randrange(3)
        lines.append(f"p {process} {numbers[process]} {now} {took} end {source.randrange(6)} 0 0 0 0 0 0 "
                     f"{len(attempts) - 1} {len(attempts)}")
        for place, phases in enumerate(attempts, 1):
            outcome = "committed" if place == len(attempts) else source.choice(timeline.FAILURES)
            lines.append(f"a {outcome} {' '.join(map(str, phases))}")
        now += took + source.randrange(2000)
    return lines


class Timeline(unittest.TestCase):
    def test_a_timeline_is_in_the_trace_event_format(self):
        for lines in (RESTARTED, *map(random_lines, range(20))):
            self.assertEqual(trace_events.problems(converted(lines)[0]), [])

    def test_the_format_check_finds_each_kind_of_bad_file(self):
        def broken(change):
            content = json.loads(converted(RESTARTED)[0])
            change(content["traceEvents"])
            return trace_events.problems(json.dumps(content))

        def first(events_, **fields):
            return next(e for e in events_ if all(e.get(key) == value for key, value in fields.items()))

        self.assertEqual(broken(lambda events_: None), [])
        for change in (
                lambda events_: first(events_, ph="X").pop("dur"),
                lambda events_: first(events_, ph="X").update(ts="12"),
                lambda events_: first(events_, ph="X").update(ph="Q"),
                lambda events_: first(events_, ph="X").update(dur=-1),
                lambda events_: first(events_, ph="i").update(s="x"),
                lambda events_: first(events_, ph="M").update(args={}),
                lambda events_: first(events_, name="rewind").update(dur=9.0),      # sticks out of its PE
                lambda events_: first(events_, name="second run").update(ts=1.05),  # goes back
                lambda events_: events_.remove(first(events_, name="process_name", pid=2)),
                lambda events_: events_.reverse()):
            self.assertNotEqual(broken(change), [])
        self.assertNotEqual(trace_events.problems("[]"), [])

    def test_phases_lie_within_their_pe_one_behind_the_other(self):
        text, _ = converted(RESTARTED)
        pe, = found(text, "PE 6")
        self.assertEqual((pe["ts"], pe["dur"]), (1.0, 0.5))
        inside = [event for event in found(text, ph="X", pid=2) if 1.0 <= event["ts"] < 1.5][1:]
        self.assertEqual([event["name"] for event in inside],
                         ["load", "first run", "rewind", "second run", "compare and commit"])
        for event, after in zip(inside, inside[1:]):
            self.assertAlmostEqual(event["ts"] + event["dur"], after["ts"])

    def test_a_restart_shows_as_two_attempts_with_the_mismatch_between(self):
        text, _ = converted(RESTARTED)
        first, second = found(text, "attempt 1") + found(text, "attempt 2")
        self.assertEqual((first["ts"], first["dur"], second["ts"]), (2.0, 0.65, 2.65))
        self.assertEqual([event["ts"] for event in found(text, "mismatch", ph="i")], [2.65])
        self.assertEqual(found(text, "PE 7")[0]["args"],
                         {"pe": 7, "end": "time-limit", "modified_pages": 2, "write_faults": 1, "restarts": 1,
                          "mismatches": 1, "missed_searches": 0, "machine_checks": 0})

    def test_a_flip_stands_where_it_was_caught_and_says_what_the_console_says(self):
        flip, = found(converted(RESTARTED)[0], ph="i", name="flip caught")
        self.assertEqual((flip["pid"], flip["ts"]), (2, 2.65))
        self.assertEqual(flip["args"], {"pe": 7, "run": "2", "moment": "end", "target": "rax", "bit": "7"})

    def test_each_process_has_a_track_with_its_name(self):
        text, said = converted(RESTARTED)
        self.assertEqual({event["pid"]: event["args"]["name"] for event in found(text, "process_name")},
                         {2: "pages", 3: "process 3"})
        self.assertIn("3 PEs", said)

    def test_a_pe_that_ran_once_says_so(self):
        pe, = found(converted(RESTARTED)[0], "PE 1")
        self.assertEqual(pe["args"], {"pe": 1, "end": "exception", "vector": 14, "hardened": False})

    def test_a_guests_pe_ends_with_an_exit(self):
        text, _ = converted(["reprise-timeline 2", "p 4 1 0 900 end 2 0 0 0 0 0 0 0 1", "a committed 1 1 1 1 1 1 1 1"])
        self.assertEqual(found(text, "PE 1")[0]["args"]["end"], "exit")

    def test_a_pe_that_was_given_up_has_a_verdict_and_no_end(self):
        text, _ = converted(["reprise-timeline 2", "p 2 1 0 900 verdict 4 0 0 0 1 0 0 2 3", "a mismatch 1 1 1 1 1 1 1 1",
                             "a mismatch 1 1 1 1 1 1 1 1", "a given-up 0 0 0 9 0 0 9 0"])
        self.assertEqual(trace_events.problems(text), [])
        arguments = found(text, "PE 1")[0]["args"]
        self.assertEqual((arguments["verdict"], arguments["restarts"], arguments["mismatches"]), ("nondeterministic", 1, 2))
        self.assertNotIn("end", arguments)
        self.assertEqual(len(found(text, "flip stopped")), 1)

    def test_a_damaged_record_costs_its_own_pe_and_is_counted(self):
        for damage in (lambda lines: lines.pop(2), lambda lines: lines.__setitem__(3, "p 2 7 20\x00 2000 end 5"),
                       lambda lines: lines.__setitem__(5, "a comm"), lambda lines: lines.__setitem__(3, "p 2 7 2 2 end 99 " + "0 " * 8),
                       lambda lines: lines.insert(3, "p 2 6 1"), lambda lines: lines.__delitem__(slice(5, None))):
            lines = list(RESTARTED)
            damage(lines)
            text, said = converted(lines)
            self.assertEqual(trace_events.problems(text), [])
            self.assertIn("1 records were damaged", said)

    def test_a_port_that_said_nothing_gives_an_empty_timeline_and_the_reason(self):
        text, said = converted([])
        self.assertEqual(found(text), [])
        self.assertIn("nothing came over the second serial port", said)

    def test_times_stay_whole_nanoseconds_when_the_rest_is_cut_off(self):
        source = random.Random(1)
        for _ in range(20_000):
            nanoseconds = source.randrange(2 ** source.randrange(1, 50))
            self.assertEqual(int(json.loads(json.dumps(timeline.microseconds(nanoseconds))) * 1000.0), nanoseconds)

    def test_the_file_names_its_clock(self):
        self.assertEqual(json.loads(converted(RESTARTED)[0])["otherData"]["clock"], "a clock")
        self.assertIn("each is one instruction", timeline.clock_of(machine.Settings()))
        self.assertIn("32 of them", timeline.clock_of(machine.Settings(uefi=True)))
        self.assertIn("real time", timeline.clock_of(machine.Settings(icount=False)))

    def test_events_come_one_by_one_however_many_records_there_are(self):
        def endless():
            yield "reprise-timeline 2"
            for number in range(1, 10**9):
                yield f"p 2 {number} {1000 * number} 900 end 0 0 0 0 0 0 0 0 1"
                yield "a committed 1 2 3 4 5 6 7 8"

        made = timeline.Converter(timeline.Console()).events(timeline.Reader().elements(endless()))
        self.assertEqual(sum(next(made)["ph"] == "X" for _ in range(903)), 900)  # 100 PEs of 9 slices, 3 about the track

    def test_what_another_machine_sent_becomes_a_timeline_with_names_from_its_console(self):
        with tempfile.TemporaryDirectory() as folder:
            port, console, file = (Path(folder) / name for name in ("com2", "com1", "timeline.json"))
            port.write_bytes("\r\n".join([*RESTARTED, ""]).encode() + b"p 3 2 \xff\xfe")
            console.write_bytes(b"GRUB \xff\r\nreprise: started process=pages pid=2\r\n")
            ran = subprocess.run([TOP / "scripts" / "timeline", "--console", console, port, file], capture_output=True,
                                 text=True)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertIn("3 PEs", ran.stdout)
            self.assertIn("1 records were damaged", ran.stdout)
            text = file.read_text(encoding="utf-8")
            missing = subprocess.run([TOP / "scripts" / "timeline", Path(folder) / "none", file], capture_output=True,
                                     text=True)
        self.assertEqual(trace_events.problems(text), [])
        self.assertEqual([event["args"]["name"] for event in found(text, "process_name", pid=2)], ["pages"])
        self.assertEqual(missing.returncode, 66)
        self.assertIn("none: No such file", missing.stderr)

    def test_a_file_that_cannot_be_written_is_refused_before_anything_is_built(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "none" / "timeline.json"
            ran = subprocess.run([TOP / "scripts" / "run", "--trace", file, "compute"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 66)
        self.assertEqual(ran.stderr.splitlines(), [
            f"scripts/run: --trace {file}: cannot be written: No such file or directory",
            "scripts/run: exit status 66 is scripts/run's own, not the program's"])


if __name__ == "__main__":
    listed.main()

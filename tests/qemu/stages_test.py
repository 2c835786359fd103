"""Stages: programs that start once all before them have ended, with settings of their own; and the sheet of figures that
report=sheet makes of them, as scripts/bench --read takes it."""

from boot import BUSYBOX, BootTest, native

from reprise import image
from reprise.bench import cases, sheet, usb_image

BOX = ("sh", "-c", cases.SCRIPT)


class Stages(BootTest):
    def image_of_bench(self):
        """The image for a real machine, with less work."""
        def case(process, program, arguments="", **more):
            names = {case.process: case.name for case in cases.ALL if case.group == cases.MACHINE}
            return cases.Case(cases.MACHINE, names[process], program, arguments, process=process, **more)

        return usb_image.contents([
            case("startup", ([BUSYBOX, *BOX],), once_too=True),
            case("startup-t", ([BUSYBOX, *BOX],), "flush=touched"),
            case("messages", (["pingpong", "ping", "50"], ["pingpong", "pong", "50"])),
            case("p0", (["sweep", "0", "12000"],), "pe.limit=200"),
            case("integers", (["compute", "1000000"],), once_too=True)])

    def test_the_image_for_a_real_machine_shows_a_sheet_that_can_be_read(self):
        contents = self.image_of_bench()
        outcome = self.boot(contents.programs, contents.arguments, archive=contents.archive)
        self.assert_clean(outcome)
        self.assertEqual([(event["process"], event["hardened"]) for event in outcome.events("exit")][:3],
                         [("startup", "yes"), ("startup.1", "no"), ("startup-t", "yes")])  # one after the other
        found = sheet.parse(outcome.raw, "log")
        self.assertEqual((found.cpu, found.kilohertz, found.counter),
                         ("QEMU TCG CPU version 2.5+", 1_000_000, "icount"))
        rows = {row.name: row.numbers for row in found.twice}
        self.assertEqual(set(rows), {"startup", "startup-t", "ping", "pong", "p0", "integers"})
        # Settings hold for their stage alone.
        self.assertEqual([name for name in rows if rows[name]["flushed_pages"]], ["startup-t"])
        length = {name: rows[name]["first_run"] / rows[name]["limited"] for name in ("p0", "integers")}  # microseconds
        self.assertLess(length["p0"], 210)
        self.assertGreater(length["integers"], 300)
        shutdown, = outcome.events("shutdown")
        self.assertEqual(shutdown.number("pes"), sum(row["pes"] for row in rows.values()) +
                         sum(once["pes"] for once in found.once.values()))
        figures = {figure.name: figure for figure in sheet.figures_of(found)}
        self.assertTrue(200 < figures["integers in registers"].overhead <= 203)
        # An instruction is a cycle here: the second runs are the work of the process that runs once.
        once = sheet.once_of(found)
        for name, cycles in once.items():
            self.assertAlmostEqual(cycles / figures[name].second_run, 1, delta=0.02)
        self.assertEqual(set(once), {"start-up: a shell script", "integers in registers"})

    def test_an_alarm_ends_the_stage_that_runs_and_starts_no_further_one(self):
        def program(name, *argv):
            return image.Program(native(argv[0]), list(argv), name, stage=())

        outcome = self.boot([program("first", "compute", "1000"), program("endless", "spin", "jmp"),
                             program("never", "compute", "1000")], "stop.after=300ms report=sheet")
        self.assert_clean(outcome)
        self.assertEqual([(event["process"], event["stopped"]) for event in outcome.events("exit")],
                         [("first", "no"), ("endless", "yes")])
        self.assertEqual([row.name for row in sheet.parse(outcome.raw, "log").twice], ["first", "endless"])

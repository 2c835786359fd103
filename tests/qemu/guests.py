"""What tests of guests share: a kernel as a guest on Reprise, and its reports."""

from boot import BootTest
from reprise import guest


class GuestTest(BootTest):
    def boot_guest(self, kernel, args="", initrd=None, words="", **settings):
        """Boots the kernel as a guest to the machine's end; returns the outcome."""
        given = guest.Guest(kernel, initrd, words=words)
        given.check()
        settings = {"cpu": guest.CPU, "memory": max(256, given.machine_memory()), **settings}
        return self.boot([given.program()], args=f"{guest.GRANT} {args}", archive=given.archive(), **settings)

    def report(self, outcome, event, process="guest"):
        """The event of that name about the process."""
        found, = [each for each in outcome.events(event) if each["process"] == process]
        return found

    def assert_run_twice(self, outcome):
        """Guest and monitor ended well, and every PE of both ran twice."""
        self.assert_clean(outcome)
        for process in ("guest", "monitor"):
            verdicts = self.report(outcome, "verdicts", process)
            self.assertEqual(verdicts.number("first_runs"), verdicts.number("second_runs"))
            self.assertGreater(verdicts.number("pes"), 100)

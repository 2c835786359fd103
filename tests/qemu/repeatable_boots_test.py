"""Where guest time counts instructions, every boot of an image prints the same bytes from kernel
entry on: registers, addresses, times and flips. What the firmware did before differs (it reads the
wall clock, and time runs by instructions): the devices' clocks stand elsewhere at kernel entry."""

from boot import BUSYBOX, DEFAULTS, TOP, BootTest, linux
from reference import lines

from reprise import machine

SQUARES = "i=0; while [ $i -lt 80 ]; do i=$((i + 1)); echo $((i * i)) $i; done"
LUA = TOP / "tests" / "programs" / "linux" / "scripts" / "tour.lua"
# Native and Linux programs; the time limit stops one, a diagnosis ends one (it reads RDRAND), one
# asks for random bytes; none reads the wall clock.
PROGRAMS = [["compute"], ["pages", "10", "100"], ["calls", "20"], ["vectors"], ["twice"],
            [BUSYBOX, "sha256sum", "lines"], [BUSYBOX, "mktemp"], [BUSYBOX, "sh", "-c", SQUARES],
            [linux("musl_hello")]]
FLIPS = "inject.rate=20 inject.seed=4"


class RepeatableBoots(BootTest):
    def boot_again_and_again(self, programs, arguments, settings):
        """Boots one image once for each of `settings`; all that is printed must be the same."""
        iso = self.image(programs, arguments, {"lines": lines(400, seed=2), "tour.lua": LUA})
        outcomes = []
        for setting in settings:
            setting = {**DEFAULTS, **setting}
            outcomes.append(machine.run(iso, machine.Settings(**setting)))
            self.consoles.append(outcomes[-1].console)
            self.assertIn("reprise: shutdown", outcomes[-1].console)
        for outcome in outcomes[1:]:
            self.assertEqual(outcome.console, outcomes[0].console)
        return outcomes

    def test_boots_print_the_same_bytes_whatever_the_wall_clock_says(self):
        clocks = ["2024-02-29T12:00:00", "2031-07-04T23:59:59", "utc"]
        outcome, *_ = self.boot_again_and_again(PROGRAMS, f"{FLIPS} inject=pages:20:1:rsp:3",
                                                 [{"clock": c} for c in clocks])
        self.assertGreater(outcome.events("shutdown")[0].number("flips"), 20)
        self.assertTrue(outcome.events("mismatch-register"), "`twice` shows two random numbers")

    def test_programs_that_read_the_clock_print_the_same_at_the_same_time_of_day(self):
        programs = [["clockcheck"], [linux("lua_run"), "tour.lua"],
                    [BUSYBOX, "date"], [BUSYBOX, "sh", "-c", "sleep 1; echo $RANDOM; date"]]
        self.boot_again_and_again(programs, FLIPS, [{"clock": "2024-02-29T12:00:00"}] * 2)

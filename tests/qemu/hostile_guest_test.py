"""A guest that does what it likes, and a monitor that answers at random (user/programs/guestfuzz.cpp)."""

import re

from boot import BootTest
from reprise import guest


class HostileGuest(BootTest):
    cost = 10

    def test_random_code_and_states_harm_neither_the_machine_nor_the_neighbour(self):
        for cpu in (guest.CPU, "max"):
            with self.subTest(cpu):
                outcome = self.boot([["guestfuzz", "150", "7"], ["compute"]], "grant=guestfuzz:guest report=short", cpu=cpu)
                self.assertEqual(outcome.events("panic"), [])
                self.assertIn("guestfuzz: through", outcome.program_output())
                stops = int(re.search(r"rounds, (\d+) stops", outcome.program_output())[1])
                self.assertGreater(stops, 300)
                for program in ("guestfuzz", "compute"):
                    self.assertEqual(outcome.exit_event(program)["status"], "0", program)

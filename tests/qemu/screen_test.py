"""The screen shows the same text as the serial line."""

import re
import struct
import zlib
from collections import Counter
from itertools import chain

from boot import BUSYBOX, BootTest


def png_rows(path):
    """Width, height and the rows of an 8-bit RGB or RGBA picture, filters undone."""
    data = path.read_bytes()
    position, packed = 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        chunk = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            width, height, _, color = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            packed += chunk
        position += 12 + length
    pixel = {2: 3, 6: 4}[color]
    stride, raw, rows = width * pixel, zlib.decompress(packed), []
    previous = bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        row = bytearray(raw[start + 1:start + 1 + stride])
        previous = _unfilter(raw[start], row, previous, pixel)
        rows.append([bytes(previous[x:x + 3]) for x in range(0, stride, pixel)])
    return width, height, rows


def _unfilter(kind, row, above, pixel):
    for x in range(len(row)):
        left = row[x - pixel] if x >= pixel else 0
        corner = above[x - pixel] if x >= pixel else 0
        if kind == 1:
            row[x] = row[x] + left & 255
        elif kind == 2:
            row[x] = row[x] + above[x] & 255
        elif kind == 3:
            row[x] = row[x] + (left + above[x]) // 2 & 255
        elif kind == 4:
            guess = left + above[x] - corner
            nearest = min((left, above[x], corner), key=lambda value: abs(guess - value))
            row[x] = row[x] + nearest & 255
    return row


def background_of(rows):
    return Counter(chain.from_iterable(rows)).most_common(1)[0][0]


class Screen(BootTest):
    def look(self, **settings):
        """The report stands on the screen: two colours at most in each text cell, most of the
        picture background, and many cells that are not. Without the 8254 QEMU warns that no timer
        is left once the machine idles, which the screen does not show."""
        picture = self.screenshot([[BUSYBOX, "echo", "seen"]], "reprise: shutdown",
                                  self.shows_the_console, pit=True, virtio=False,
                                  **settings)
        width, height, rows = png_rows(picture)
        self.assertGreaterEqual((width, height), (640, 400))
        background = background_of(rows)
        written = [row for row in rows if any(pixel != background for pixel in row)]
        filled = sum(row.count(background) for row in rows)
        self.assertGreater(filled, width * height // 2)
        self.assertGreater(len(written), 100, "fewer than a dozen lines of text")
        self.assert_shows_the_console(rows, self.consoles[-1])
        return picture

    def shows_the_console(self, picture, console):
        _, _, rows = png_rows(picture)
        try:
            self.assert_shows_the_console(rows, console)
        except AssertionError:
            return False
        return True

    def assert_shows_the_console(self, rows, console):
        """Whatever the font: each character of the serial line's last lines has one picture, always
        the same, and no two characters have the same one."""
        columns, lines = map(int, re.search(r"screen: (\d+) x (\d+) characters", console).groups())
        wide, high = len(rows[0]) // columns, len(rows) // lines
        background = background_of(rows)

        def cell(column, line):
            across = slice(column * wide, (column + 1) * wide)
            return tuple(tuple(pixel != background for pixel in row[across])
                         for row in rows[line * high:(line + 1) * high])

        shown = [[cell(column, line) for column in range(columns)] for line in range(lines)]
        blank = tuple((False,) * wide for _ in range(high))
        while shown and all(picture == blank for picture in shown[-1]):
            shown.pop()
        printed = [line[start:start + columns] for line in console.splitlines()
                   for start in range(0, max(len(line), 1), columns)]
        pictures = {}
        for text, cells in zip(reversed(printed), reversed(shown)):
            for character, picture in zip(text.ljust(columns), cells):
                self.assertEqual(pictures.setdefault(character, picture), picture,
                                 f"{character!r} in {text!r} looks different elsewhere")
        self.assertGreater(len(pictures), 40)
        self.assertEqual(len(set(pictures.values())), len(pictures), "two characters look the same")
        self.assertEqual(pictures[" "], blank)

    def test_the_report_stands_on_the_screen_under_bios(self):
        self.look()

    def test_the_report_stands_on_the_screen_under_uefi(self):
        self.look(uefi=True)

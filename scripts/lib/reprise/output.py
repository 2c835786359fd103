"""Where a run's text goes: what the program says to stdout and stderr, the machine's log to stderr, to a
file, or nowhere."""

import contextlib
import os
import select

from . import channel, events


def write_all(descriptor, data):
    while data:
        try:
            data = data[os.write(descriptor, data):]
        except BlockingIOError:  # another process that shares the file has made it so
            select.select([], [descriptor], [])


class Output:
    """`log`: a file's path, "" for stderr, None for nowhere. It gets whole lines, so that what the program
    says never stands within one."""

    def __init__(self, log):
        self._log = None if log is None else open(log, "wb", buffering=0) if log else 2
        self._apart = log != ""
        self._line = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._write_log(self._line)

    def frame(self, frame):
        """A frame of the channel; True: it was one of a stream."""
        if frame.kind == channel.STANDARD_OUTPUT:
            write_all(1, frame.content)
        elif frame.kind == channel.STANDARD_ERRORS:
            write_all(2, frame.content)
        else:
            return False
        return True

    def program(self, text):
        """What a program printed on the console."""
        write_all(1, text.encode("utf-8", "replace"))

    def log(self, text):
        lines, line_feed, self._line = (self._line + text).rpartition("\n")
        self._write_log(lines + line_feed)

    def _write_log(self, text):
        if self._log is not None:
            write_all(self._log if isinstance(self._log, int) else self._log.fileno(), text.encode("utf-8", "replace"))

    @contextlib.contextmanager
    def console(self, interactive):
        """A function for the console of a machine without a channel, where programs print, too. At a
        terminal all stays in one stream, so that nothing that is typed is echoed late."""
        if interactive and not self._apart:
            yield self.program
            return
        sorter = events.Sorter(self.program, self.log)
        yield sorter.feed
        sorter.finish()

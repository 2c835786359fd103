"""An unmodified Linux kernel and a small initramfs around busybox, for the tests of guests. Nothing that the script
prints depends on time, so it can be compared with what it prints on a plain machine."""

from pathlib import Path

from boot import BUSYBOX, tree
from reprise.archive import Archive

BEGIN, END = "guest: begin", "guest: end"
INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
echo "{begin}"
sh /script
echo "{end} $?"
{end_by} -f
"""
# Processes, pipes, files, sums, sorting, a signal, and arithmetic.
SCRIPT = """\
uname -s -m
for i in 1 2 3 4 5 6 7 8; do (echo "child $i" > /tmp/child.$i) & done
wait
cat /tmp/child.* | sort | tr '\\n' ' '; echo
seq 1 2000 | awk '{ s += $1 * $1 } END { print "squares", s }'
dd if=/dev/zero bs=1024 count=1024 2>/dev/null | sha256sum
seq 1 20000 > /tmp/numbers
sort -r -n /tmp/numbers | head -n 3 | tr '\\n' ' '; echo
md5sum < /tmp/numbers
mkdir -p /tmp/a/b/c && cp /tmp/numbers /tmp/a/b/c/ && mv /tmp/a/b/c/numbers /tmp/a/n && ls -R /tmp/a
gzip -c /tmp/a/n | gunzip -c | cmp - /tmp/numbers && echo "the same after gzip"
sleep 100 & kill $! && wait $!; echo "killed: $?"
f() { [ $1 -le 1 ] && echo 1 && return; echo $(( $1 * $(f $(( $1 - 1 ))) )); }
echo "factorial $(f 12)"
awk 'BEGIN { x = 1; for (i = 0; i < 20; i++) x = (x + i) / 1.7; printf "%.12f\\n", x }'
grep -c processor /proc/cpuinfo
"""


def kernel():
    """Debian's cloud kernel: installed, or unpacked by scripts/doctor."""
    return _found("vmlinuz-*-cloud-amd64", "test")


def real_time_kernel():
    """A newer one of Debian's, which can be preempted nearly everywhere (PREEMPT_RT): the same."""
    return _found("vmlinuz-6.12*-rt-amd64", "long")


def _found(pattern, purpose):
    for folder in (tree.TOP / "build" / "unpacked" / "boot", Path("/boot")):
        if found := sorted(folder.glob(pattern)):
            return found[-1]
    raise FileNotFoundError(f"no {pattern}: scripts/doctor --install {purpose} unpacks one")


def write_initramfs(path, script=SCRIPT, end_by="reboot"):
    """`end_by`: reboot or poweroff."""
    archive = Archive()
    archive.add(BUSYBOX, "bin/busybox")
    archive.add_bytes("init", INIT.format(begin=BEGIN, end=END, end_by=end_by).encode(), 0o755)
    archive.add_bytes("script", script.encode())
    archive.write(path)


def script_output(console):
    """What the script printed, from the line that announces it to the one that ends it."""
    _, begin, rest = console.partition(BEGIN + "\n")
    said, end, _ = rest.partition(END)
    return said if begin and end else None

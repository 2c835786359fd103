#!/usr/bin/env python3
"""Runs unmodified Linux programs beside the personality on this host (host_kernel.cpp), and on the host's
own kernel. Output and exit status must be the same.

    programs_test.py --list            names of all cases, one a line
    programs_test.py BUILD_DIR NAME    runs one; BUILD_DIR holds bin/
"""
import os
import random
import subprocess
import sys
import tempfile

BUSYBOX = "/bin/busybox"
ENVIRONMENT = {"PATH": "/bin", "HOME": "/home", "TZ": "UTC"}


class Case:
    """One program; `expected` (output, status) stands in for a run on the host."""

    def __init__(self, name, *argv, stdin=b"", expected=None, contains=None, environment=None,
                 says=(), memory=None):
        self.name, self.argv, self.stdin = name, argv, stdin
        self.says = says  # lines of the personality's own, about what it refuses
        self.memory = memory  # MiB that the machine has
        self.expected, self.contains, self.environment = expected, contains, environment or {}


def busybox(*argv, name=None, **settings):
    return Case("busybox " + (name or " ".join(argv).replace("\n", "")), BUSYBOX, *argv, **settings)


SHELL = 'for i in 1 2 3; do echo $((i * i)); done; cd sub; read x < a.txt; echo "$x"; exit 4'
AWK = '{ n += length($1); c[substr($1, 1, 1)]++ } END { print n; for (k in c) print k, c[k] }'
LS_LR = b"""data:
total 8
-rw-r--r--    1 0        0               24 Jan  2  2001 a.txt
lrwxrwxrwx    1 0        0                5 Jan  2  2001 link -> a.txt
drwxr-xr-x    2 0        0             4096 Jan  2  2001 sub

data/sub:
total 4
-rw-r--r--    1 0        0               18 Jan  2  2001 b.txt
"""

THREAD = b"linux: a thread is refused (EAGAIN): a Linux program here is one process with one thread\n"
LIMITS = [b"linux: setrlimit of RLIMIT_STACK is refused: EPERM\n",
          b"linux: setrlimit of RLIMIT_CPU is refused: EPERM\n"]
USER = b"linux: users and groups other than root are refused: EINVAL\n"
FULL = b"full: malloc says ENOMEM\nfull: write says ENOSPC\nfull: 0 failures\n"

CASES = [
    busybox("sha256sum", "big"),
    busybox("md5sum", "words", "link"),
    busybox("sort", "words"),
    busybox("sort", "-n", "-r", "numbers"),
    busybox("gzip", "-c", "words"),
    busybox("bunzip2", "-c", "words.bz2"),
    busybox("awk", AWK, "words", name="awk"),
    busybox("sed", "-n", "s/needle/X/gp", "sub/a.txt"),
    busybox("grep", "-r", "needle", "sub/deep"),
    busybox("find", "sub/deep", "-type", "f"),
    busybox("tar", "tvf", "files.tar"),
    busybox("cat", "big"),
    busybox("cat", stdin=b"first line\nsecond line\nno end of line"),
    busybox("sh", "-c", "read a; read b; echo $b $a", stdin=b"one\ntwo\n", name="sh reads lines"),
    busybox("ls", "-lR", "data", expected=(LS_LR, 0)),
    busybox("bc", "-l", stdin=b"scale=30\n4*a(1)\n2^200\n"),
    busybox("printf", "%s %05d %x\n", "text", "42", "255"),
    busybox("false"),
    busybox("cat", "missing"),
    busybox("sh", "-c", SHELL, name="sh built-ins"),
    busybox("cp", "words", "copy"),
    busybox("dd", "if=big", "of=/dev/null", "bs=1000", "count=7"),
    busybox("stat", "-c", "%s %f %h", "words"),
    busybox("readlink", "link"),
    busybox("du", "-b", "sub/deep"),
    busybox("uname", expected=(b"Linux\n", 0)),
    busybox("sleep", "0.1"),
    busybox("sh", "-c", "echo $(echo forked)", name="sh cannot fork", contains=b"refused (ENOSYS)"),
    Case("musl hello", "musl_hello", "7", "two words"),
    Case("C++ features", "cxx_features"),
    Case("SQLite in memory and in a file", "sqlite_inserts", "test.db"),
    Case("Lua script", "lua_run", "tour.lua", "argument"),
    Case("registers kept", "registers"),
    Case("signals", "signals"),
    Case("abort ends with 134", "signals", "abort", contains=b"ends by SIGABRT"),
    Case("a fault ends with 139", "signals", "fault", contains=b"ends by SIGSEGV"),
    Case("a division by zero ends with 136", "signals", "divide", contains=b"ends by SIGFPE"),
    Case("memory, glibc", "memory", "big"),
    Case("memory, musl", "memory_musl", "big"),
    Case("files, glibc", "files", ".", "words"),
    Case("files, static-PIE", "files_pie", "."),
    Case("files, musl", "files_musl", "."),
    Case("bad pointers", "bad_pointers"),
    Case("waiting, glibc", "waits", says=[THREAD]),
    Case("waiting, musl", "waits_musl", says=[THREAD]),
    Case("shared files, glibc", "shared_files"),
    Case("shared files, musl", "shared_files_musl"),
    Case("facts and limits, glibc", "machine_facts", says=[*LIMITS, USER]),
    Case("facts and limits, musl", "machine_facts_musl", says=[*LIMITS, USER]),
    Case("SQLite's write-ahead log", "sqlite_wal"),
    Case("memory is full", "full", expected=(FULL, 0), memory=64),
    Case("a lock that nobody can open", "waits", "lock", expected=(b"", 137),
         contains=b"waits for a lock that nobody can open"),
]


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def make_files(root):
    """The files that both runs see: in `root` for the host, in an archive for the personality."""
    numbers = random.Random(1)
    words = "".join("".join(numbers.choices("abcdefghij", k=8)) + "\n" for _ in range(3000)).encode()
    write(f"{root}/words", words)
    write(f"{root}/numbers", "".join(f"{numbers.randrange(10**6)}\n" for _ in range(2000)).encode())
    write(f"{root}/big", numbers.randbytes(4 << 20))
    write(f"{root}/sub/a.txt", b"alpha\nneedle needle\nomega\n")
    write(f"{root}/sub/deep/b.txt", b"needle two\ngamma\n")
    write(f"{root}/data/a.txt", b"twenty-four bytes here.\n")
    write(f"{root}/data/sub/b.txt", b"eighteen bytes ok\n")
    os.symlink("a.txt", f"{root}/data/link")
    os.symlink("sub/a.txt", f"{root}/link")
    subprocess.run([BUSYBOX, "bzip2", "-k", f"{root}/words"], check=True)
    subprocess.run([BUSYBOX, "tar", "cf", "files.tar", "sub", "numbers"], cwd=root, check=True)
    script = os.path.join(os.path.dirname(__file__), "../../programs/linux/scripts/tour.lua")
    with open(script, "rb") as file:
        write(f"{root}/tour.lua", file.read())
    moment = 978404645  # 2001-01-02 03:04:05 UTC
    for folder, folders, files in os.walk(root, topdown=False):
        for name in folders + files:
            os.utime(os.path.join(folder, name), (moment, moment), follow_symlinks=False)


def make_archive(root, path):
    names = [os.path.relpath(os.path.join(folder, name), root)
             for folder, folders, files in os.walk(root) for name in folders + files]
    with open(path, "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=root, stdout=file,
                       input="\n".join(sorted(names)).encode(), check=True)


def run(argv, case, root):
    environment = {**ENVIRONMENT, **case.environment}
    if case.memory is not None:
        environment["HOST_KERNEL_MEMORY"] = str(case.memory)
    result = subprocess.run(argv, cwd=root, env=environment, input=case.stdin, timeout=900,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    status = result.returncode if result.returncode >= 0 else 128 - result.returncode
    return result.stdout, status


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(case.name for case in CASES))
        return 0
    build, name = sys.argv[1:]
    case, = [case for case in CASES if case.name == name]
    tools = f"{build}/bin"
    program = case.argv[0] if "/" in case.argv[0] else f"{tools}/linux/{case.argv[0]}"
    with tempfile.TemporaryDirectory() as folder:
        root, archive = f"{folder}/root", f"{folder}/root.cpio"
        make_files(root)
        make_archive(root, archive)
        settings = [f"{key}={value}" for key, value in {**ENVIRONMENT, **case.environment}.items()]
        beside = run([f"{tools}/host_kernel", f"{tools}/personality.elf", archive, *settings, "--",
                      program, *case.argv[1:]], case, root)
        expected = case.expected or run([program, *case.argv[1:]], case, root)
    for line in case.says:
        beside = (beside[0].replace(line, b"", 1), beside[1]) if line in beside[0] else (line, 1)
    if case.contains is not None:
        good = case.contains in beside[0] and (beside[1] == expected[1] or case.argv[0] == BUSYBOX)
    else:
        good = beside == expected
    if not good:
        print(f"expected status {expected[1]} and:\n{expected[0][:2000]!r}")
        print(f"got status {beside[1]} and:\n{beside[0][:2000]!r}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""A copy of the tree, to build kernels with something taken out of them or planted into them."""

import os
import shutil
import subprocess

from boot import TOP


class ChangedTree:
    """In a test's scratch folder. One build tree serves all changes, so each but the first is quick."""

    def __init__(self, scratch):
        self._tree, self._build = scratch / "tree", scratch / "build"
        shutil.copytree(TOP, self._tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))

    def check(self, patch):
        """Raises when it does not apply."""
        self._run([*self._apply(patch), "--dry-run"])

    def kernel(self, patch):
        """The kernel with that patch alone. It stands until the next one is built."""
        apply = self._apply(patch)
        self._run(apply)
        try:
            if not self._build.exists():
                self._run(["cmake", "--preset", "kernel", "-B", self._build])
            self._run(["cmake", "--build", self._build, "--target", "kernel", "-j", "2"])
        finally:
            self._run([*apply, "-R"])
        return self._build / "bin" / "kernel.elf"

    @staticmethod
    def _apply(patch):
        return ["patch", "-p1", "--no-backup-if-mismatch", "-i", patch]

    def _run(self, words):
        environment = {k: v for k, v in os.environ.items() if k != "REPRISE_BUILD"}
        done = subprocess.run([str(word) for word in words], cwd=self._tree, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(done.stdout[-3000:])

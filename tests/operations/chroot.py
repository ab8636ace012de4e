"""A Debian tree of its own, and commands in it: what is mounted for a command is gone when the command ends."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chroot", "make_debian", "may_mount"]

MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Chroot:
    """A tree.

    Attributes:
        root: where it is.
    """

    root: Path

    def build_line(self, script: str, *, env: Mapping[str, str], cwd: str) -> list[str]:
        """Make the command line for a build step: root, writable, with a network and this machine's certificates."""
        given = {"SSL_CERT_FILE": "/run/certificates.crt", "PIP_CERT": "/run/certificates.crt", "HOME": "/root"}
        given |= {name: value for name in PROXIES if (value := os.environ.get(name))}
        mounts = [
            f"mount -t proc proc {self._inside('/proc')}",
            f"mount -t tmpfs tmpfs {self._inside('/run')}",
            f"cp {shlex.quote(str(CERTIFICATES))} {self._inside('/run/certificates.crt')}",
        ]
        return self._line(mounts, ["/bin/sh", "-c", script], env=given | dict(env), cwd=cwd, rights=[])

    def run_line(self, words: Sequence[str], *, env: Mapping[str, str], cwd: str, user: str) -> list[str]:
        """Make the command line for a container's program, as the strictest of orchestrators would run it.

        The tree is read-only and /tmp alone is writable; the user is the image's, without any capability and without
        a way to get one; nothing of this process's environment is handed on. The network is this machine's.
        """
        uid, gid = user.split(":")
        mounts = [
            f"mount --rbind {self._inside('')} {self._inside('')}",
            f"mount -o remount,ro,bind {self._inside('')}",
            f"mount -t proc proc {self._inside('/proc')}",
            f"mount -t tmpfs -o mode=1777,size=64m tmpfs {self._inside('/tmp')}",
        ]
        rights = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        return self._line(mounts, words, env=env, cwd=cwd, rights=["/usr/bin/setpriv", *rights, "--"])

    def _line(
        self, mounts: Sequence[str], words: Sequence[str], *, env: Mapping[str, str], cwd: str, rights: Sequence[str]
    ) -> list[str]:
        # Each program becomes the next one: whoever started the first has the last one's process id and status.
        inner = ["/bin/sh", "-ec", 'cd "$0"; exec "$@"', cwd, *rights, *words]
        start = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), "/usr/sbin/chroot", str(self.root)]
        script = "\n".join([*mounts, f"exec {shlex.join([*start, *inner])}"])
        return ["unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", script]

    def _inside(self, path: str) -> str:
        return shlex.quote(f"{self.root}{path}")


def make_debian(root: Path, *, suite: str, packages: Sequence[str]) -> Chroot:
    """Make a Debian without anything that its essential packages and the named ones do not need.

    Raises:
        RuntimeError: debootstrap failed; with the end of what it said.
    """
    line = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(root), MIRROR]
    # It calls others that are for root.
    env = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    made = subprocess.run(line, env=env, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"{shlex.join(line)}\n{(made.stdout + made.stderr)[-2000:]}")
    for fetched in (root / "var/cache/apt/archives").glob("*.deb"):
        fetched.unlink()
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")  # as an engine would
    return Chroot(root)


def may_mount() -> bool:
    """Tell whether this process may make mounts of its own."""
    line = ["unshare", "--mount", "--propagation", "private", "--", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return os.geteuid() == 0 and subprocess.run(line, capture_output=True, check=False).returncode == 0

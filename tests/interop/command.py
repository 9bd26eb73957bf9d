"""The keywright binary, run as a user runs it: arguments, a clean environment, an exit code and two streams."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "payments"

# Exit codes, a public contract.
DONE, ERROR, CHANGES, GUARD, STALE, PARTIAL, USAGE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 64, 130

# No command of the suite takes longer; one that does hangs.
LIMIT = 120


@dataclass(frozen=True)
class Result:
    """What a finished command left behind."""

    arguments: list[str]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        command = " ".join(["keywright", *self.arguments])
        return f"{command}\nexit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


@dataclass
class Keywright:
    """The binary with an environment of its own: an empty home, and no credentials but those given here."""

    binary: Path
    home: Path
    credentials: dict[str, str] = field(default_factory=dict)
    # The file with the age key that opens the example's values; none, and whatever needs a key says so.
    key: Path | None = None

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            # Without this the credential chain would wait for a metadata service that is not there.
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"SOPS_AGE_KEY_FILE": str(self.key)} if self.key else {}),
            **self.credentials,
            **more,
        }

    def signed_in(self, access_key_id: str) -> Keywright:
        """The same binary with credentials. To the sandbox, an access key id of twelve digits is the account."""
        credentials = {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": "not checked"}
        return Keywright(self.binary, self.home, credentials, self.key)

    def run(self, *arguments: object, cwd: Path | None = None, **environment: str) -> Result:
        """Runs a command to its end, with nobody there to answer and both streams in pipes."""
        words = [str(argument) for argument in arguments]
        done = subprocess.run(
            [self.binary, *words],
            cwd=cwd,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        return Result(words, done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: object, **environment: str) -> Running:
        """Starts a command that the test means to interrupt."""
        return Running(self, [str(argument) for argument in arguments], environment)


class Running:
    """A command under way. Its stderr is read as it comes; its stdout goes to a file, so that it never waits for us."""

    def __init__(self, keywright: Keywright, arguments: list[str], environment: dict[str, str]) -> None:
        self._arguments = arguments
        self._out = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [keywright.binary, *arguments],
            env=keywright.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._talk: list[str] = []

    def read_line(self) -> str:
        """The next line of stderr; empty at its end."""
        line = self._process.stderr.readline()
        self._talk.append(line)
        return line

    def send(self, which: signal.Signals) -> None:
        self._process.send_signal(which)

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Waits for the end and returns the exit code, which is negative when a signal was the end."""
        return self._process.wait(seconds)

    def finish(self) -> Result:
        """Waits for the end and returns everything."""
        with self._out, self._process.stderr:
            while self.read_line():
                pass
            code = self.wait(LIMIT)
            self._out.seek(0)
            return Result(self._arguments, code, self._out.read(), "".join(self._talk))

# SPDX-License-Identifier: Apache-2.0
"""kithlib: a relay, members and a recording wire for the tests of the real programs.

Standard library only.  Everything lives in one temporary folder; every process that is started
here is remembered and ended here, by its pid; every wait has an end.
"""
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SKIPPED = 77
PASSPHRASE = "correct horse battery staple"


def bin_dir():
    """The folder of the built programs: KITH_BIN, as ctest sets it."""
    where = os.environ.get("KITH_BIN")
    if not where:
        source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        for build in ("debug", "release"):
            if os.path.exists(os.path.join(source, ".build", build, "kith")):
                return os.path.join(source, ".build", build)
        sys.exit("kithlib: set KITH_BIN to the folder of kith, kithd and kithctl")
    return where


def program(name):
    path = os.path.join(bin_dir(), name)
    if not os.path.exists(path):
        print(f"skipped: {name} is not built")
        sys.exit(SKIPPED)
    return path


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def wait_for(what, seconds, check, every=0.1):
    """check() until it returns something true; fails by name."""
    end = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    """A temporary folder, and whatever was started in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="kt", dir="/tmp")  # short: socket paths are
        self.processes = []
        self.closers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for close in self.closers:
            close()
        for p in self.processes:
            end_process(p)
        if os.environ.get("KITH_KEEP"):
            print("kept:", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def popen(self, *args, **kw):
        p = subprocess.Popen(*args, **kw)
        self.processes.append(p)
        return p


def end_process(p, seconds=10):
    if p.poll() is not None:
        return p.returncode
    p.terminate()
    try:
        return p.wait(seconds)
    except subprocess.TimeoutExpired:
        p.kill()
        return p.wait(seconds)


class Relay:
    """A kithd of a new cohort on a free port of loopback."""

    def __init__(self, world, name="Night Owls", port=None, host=None):
        self.world = world
        self.port = port or free_port()
        self.dir = world.path("relay")
        self.log = world.path("relay.log")
        self.process = None
        self.first_invite = None
        self._up(name, host or f"127.0.0.1:{self.port}")

    def _env(self):
        env = dict(os.environ)
        env["HOME"] = self.world.dir
        return env

    def _up(self, name, host):
        out = open(self.log, "ab")
        self.process = self.world.popen(
            [program("kithctl"), "up", "--name", name, "--host", host, "--dir", self.dir,
             "--foreground"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._env())
        out.close()
        self._wait()
        with open(self.log, encoding="utf-8", errors="replace") as f:
            found = re.findall(r"^\s*(KITH:[0-9A-Z$%*+\-./:]+)\s*$", f.read(), re.M)
        self.first_invite = found[-1] if found else None

    def _wait(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError("the relay ended: " + self.log_text()[-2000:])
            done = self.ctl("status", "--json", check=False)
            return done.returncode == 0
        wait_for("the relay answers its control socket", 30, answers, 0.2)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ctl(self, *args, check=True):
        done = subprocess.run([program("kithctl"), "--dir", self.dir, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, env=self._env(), check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kithctl {args}: {done.returncode} {done.stderr}")
        return done

    def invite(self):
        return json.loads(self.ctl("invite", "--json").stdout)["invite"]

    def pid(self):
        """Of kithd itself, which kithctl up --foreground may have started or become."""
        with open(os.path.join(self.dir, "kithd.pid"), encoding="ascii") as f:
            return int(f.read())

    def stop(self):
        pid = self.pid()
        end_process(self.process)
        wait_for("kithd has gone", 15, lambda: not os.path.exists(f"/proc/{pid}"))

    def kill(self):
        """As a power cut does, as far as the process can tell."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        self.process.wait(15)
        wait_for("kithd has gone", 15, lambda: not os.path.exists(f"/proc/{pid}"), 0.01)

    def start(self):
        self.log = self.world.path("kithd.log")  # of kithd alone, without what kithctl says
        out = open(self.log, "ab")
        self.process = self.world.popen(
            [program("kithd"), "--dir", self.dir, "--foreground"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._env())
        out.close()
        self._wait()


class Member:
    """One person: a profile of its own, and kith run on it."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        home = world.path(name)
        os.makedirs(os.path.join(home, "run"), mode=0o700)
        self.data = os.path.join(home, "data")
        self.pw = os.path.join(home, "pw")
        with open(os.open(self.pw, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(PASSPHRASE + "\n")
        self.env = dict(os.environ, HOME=home, XDG_DATA_HOME=self.data,
                        XDG_RUNTIME_DIR=os.path.join(home, "run"), LANG="C.UTF-8",
                        TERM="xterm", TZ="UTC")
        for key in ("KITH_PROFILE", "NO_COLOR", "LC_ALL"):
            self.env.pop(key, None)

    @property
    def profile(self):
        return os.path.join(self.data, "kith", "default")

    def args(self, *args, passphrase=True):
        more = ["--passphrase-file", self.pw] if passphrase else []
        return [program("kith"), *more, *args]

    def run(self, *args, text=None, passphrase=True, timeout=90):
        """Run to its end.  text: standard input."""
        return subprocess.run(self.args(*args, passphrase=passphrase),
                              input=text if text is not None else "", capture_output=True,
                              text=True, timeout=timeout, env=self.env, check=False,
                              start_new_session=True)  # no terminal to ask on

    def good(self, *args, **kw):
        done = self.run(*args, **kw)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: kith {args}: {done.returncode} "
                                 f"{done.stdout} {done.stderr}")
        return done.stdout

    def json(self, *args, **kw):
        return json.loads(self.good(*args, "--json", **kw))

    def lines(self, *args, **kw):
        return [json.loads(line) for line in self.good(*args, "--json", **kw).splitlines()]

    def join(self, invite):
        return self.json("join", "--as", self.name, text=invite)

    def spawn(self, *args, passphrase=True):
        """A running kith with pipes; what it says is gathered by a Talk."""
        p = self.world.popen(self.args(*args, passphrase=passphrase), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env,
                             start_new_session=True)
        return Talk(p)

    def terminal(self, *args, rows=24, columns=80, passphrase=True, env=None):
        return Terminal(self.world, self.args(*args, passphrase=passphrase),
                        dict(self.env, **(env or {})), rows, columns)


class Talk:
    """Lines in, text out."""

    def __init__(self, process):
        self.process = process
        self.text = ""
        self.lock = threading.Lock()
        threading.Thread(target=self._gather, daemon=True).start()

    def _gather(self):
        while True:
            some = os.read(self.process.stdout.fileno(), 65536)
            if not some:
                return
            with self.lock:
                self.text += some.decode("utf-8", "replace")

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, what, seconds=30):
        wait_for(f"{what!r} in what it said: {self.text[-500:]!r}", seconds,
                 lambda: what in self.text)

    def close(self, seconds=30):
        self.process.stdin.close()
        return self.process.wait(seconds)


class Terminal:
    """A program on a terminal of its own (a pty)."""

    def __init__(self, world, args, env, rows, columns):
        import fcntl
        import struct
        import termios
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = world.popen(args, stdin=slave, stdout=slave, stderr=slave, env=env,
                                   start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def read(self, seconds=0.2):
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                return self.text
            try:
                some = os.read(self.master, 65536)
            except OSError:
                return self.text
            if not some:
                return self.text
            self.text += some.decode("utf-8", "replace")

    def wait(self, what, seconds=30):
        def seen():
            self.read(0.05)
            return what in self.text
        try:
            wait_for(what, seconds, seen, 0.01)
        except AssertionError as e:
            raise AssertionError(f"{what!r} not seen in {self.text[-800:]!r}") from e

    def type(self, keys):
        os.write(self.master, keys.encode())

    def end(self, seconds=15):
        stop = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < stop:
            self.read(0.1)
        self.read(0.1)
        return self.process.wait(1)


class Wire:
    """A TCP proxy that keeps every byte that passed, with its direction."""

    def __init__(self, world, port):
        self.target = port
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = []  # (bytes to the relay, bytes from the relay)
        self.open = 0          # directions that still flow
        self.lock = threading.Lock()
        world.closers.append(self.server.close)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.server.accept()
                relay = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            record = (bytearray(), bytearray())
            with self.lock:
                self.connections.append(record)
                self.open += 2
            for i, (a, b) in enumerate(((client, relay), (relay, client))):
                threading.Thread(target=self._pump, args=(a, b, record[i]), daemon=True).start()

    def _pump(self, a, b, kept):
        with contextlib.suppress(OSError):
            while True:
                some = a.recv(65536)
                if not some:
                    break
                with self.lock:
                    kept.extend(some)
                b.sendall(some)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)
        with self.lock:
            self.open -= 1


def befriend(a, b):
    """a links, b accepts, and both know it.  Returns their conversations' ids."""
    link = a.json("link")
    taken = b.json("accept-link", text=link["link"])

    def linked():
        a.good("list")
        one = [c for c in b.json("list") if c["conv"] == taken["conv"]][0]
        return one["state"] == "linked"
    wait_for("the link is complete on both sides", 60, linked, 0.5)
    return link["conv"], taken["conv"]


def history(member, conv):
    return member.lines("read", conv, "--offline")


@contextlib.contextmanager
def claim(text):
    """Name what is being shown; the last line of a failing test says it."""
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print(f"FAILED: {text}", flush=True)
        raise
    print(f"ok {time.monotonic() - start:5.1f} s  {text}", flush=True)


def interrupted(process):
    process.send_signal(signal.SIGINT)

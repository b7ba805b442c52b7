#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input at every prompt and flag: the documented exit code, and one line that helps."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from kithlib import PASSPHRASE, Member, Relay, World, befriend, claim, free_port, wait_for

BAD_INVITES = ["", "hello", "KITH:", "KITH:relay.example.edu/", "KITH:x/AAAA", "\0\0\0\0",
               "KITH:" + "A" * 200, "kith:1.2.3.4:99999/" + "A" * 52, "\xff" * 70,
               "KITH:127.0.0.1:1/" + "A" * 51 + "1"]


def expect(member, code, *args, says=None, lines=1, **kw):
    """Run; the exit code is this, and standard error is that many lines, beginning kith:."""
    done = member.run(*args, **kw)
    told = done.stderr.splitlines()
    assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
    assert len(told) == lines and all(t.startswith("kith: ") for t in told), (args, told)
    assert all(25 <= len(t) <= 400 for t in told), told
    if says:
        assert says in done.stderr, (args, says, done.stderr)
    assert "Sanitizer" not in done.stderr
    return done


def usage(m):
    for args, says in [
            (["asc"], "verb"), (["lst"], '"list"'), (["--jsn", "list"], '"--json"'),
            (["--frobnicate"], "flag"), (["-x"], "flag"), (["list", "-qz"], "flag"),
            (["--timeout"], "value"), (["--timeout", "-o", "list"], "value"),
            (["--timeout", "--plain", "list"], "value"), (["list", "--timeout=never"], "never"),
            (["list", "--timeout=-1"], "-1"), (["list", "--timeout=99999999"], "9"),
            (["--json=yes", "list"], "--json"), (["--color=mauve", "list"], "mauve"),
            (["--profile"], "value"), (["--profile=", "list"], "--profile"),
            (["--profile", "../", "list"], "profile"), (["--profile", "a b", "list"], "a b"),
            (["--profile", ".hidden", "list"], ".hidden"),
            (["link", "--expires", "soon"], "soon"), (["link", "--expires", "5m"], "5m"),
            (["link", "--expires", "99w"], "99w"), (["list", "--expires", "7d"], "--expires"),
            (["send", "c1", "--follow"], "--follow"), (["read", "c1", "--all"], "--all"),
            (["read"], "kith list"), (["verify"], "kith list"), (["send"], "kith list"),
            (["forget"], "m1"), (["read", "c1", "c2"], "c2"), (["list", "everything"], "word"),
            (["wipe"], "--all"), (["wipe", "c1", "--all"], "--all"),
            (["alarms", "a1"], "accept"), (["--guest", "list"], "--guest"),
            (["join", "--offline"], "--offline")]:
        expect(m, 64, *args, says=says, passphrase=False)


def text_in_arguments(m):
    """Refused before anything is looked at, and not repeated in the answer."""
    secret = "I cannot sleep"
    for args, says in [(["send", "c1", secret], "kith send c1 - < FILE"),
                       (["join", "KITH:SECRET"], "kith join - < FILE"),
                       (["accept-link", "KITH-C:SECRET"], "kith accept-link - < FILE"),
                       (["send", "c1", "--", "--" + secret], "kith send c1 - < FILE")]:
        done = expect(m, 64, *args, says=says, passphrase=False)
        assert secret not in done.stderr and "SECRET" not in done.stderr


def json_errors(m):
    done = m.run("read", "c9", "--json", passphrase=False)
    error = json.loads(done.stderr)
    assert list(error) == ["v", "error"] and error["v"] == 1
    assert error["error"]["exit"] == done.returncode == 78
    assert {"code", "exit", "message", "hint"} <= set(error["error"])
    assert json.loads(m.run("--jsn", "--json").stderr)["error"]["exit"] == 64


def no_profile(m):
    for verb in ("list", "status", "lock", "chat", "link"):
        expect(m, 78, verb, says="kith join", passphrase=False)
    for verb in ("crisis", "limits"):  # these need nothing
        assert m.run(verb, passphrase=False).returncode == 0
    env = dict(m.env)
    m.env = {k: v for k, v in env.items() if k not in ("HOME", "XDG_DATA_HOME")}
    expect(m, 78, "list", says="HOME", passphrase=False)
    m.env = env


def joining(world, m, relay):
    for bad in BAD_INVITES:
        expect(m, 65, "-q", "join", says="invite", text=bad)
    expect(m, 65, "-q", "join", says="accept-link", text="KITH-C:" + "A" * 80)
    good = relay.invite()
    other = good[:-3] + ("AAA" if not good.endswith("AAA") else "BBB")
    expect(m, 76, "-q", "join", says="not the relay", text=other)
    nobody = good.replace(f":{relay.port}/", f":{free_port()}/")
    expect(m, 69, "-q", "join", "--timeout", "5", says="did not answer", text=nobody)
    expect(m, 69, "-q", "join", "--timeout", "5", says="not known",
           text="KITH:NO.SUCH.HOST.INVALID" + good[good.index("/"):])
    expect(m, 65, "-q", "join", "--as", "x" * 65, says="name", text=good)
    expect(m, 65, "-q", "join", "--as", "a\u202eb", says="name", text=good)
    expect(m, 65, "-q", "join", "--as", "a\tb", says="name", text=good)
    for bad in ("you", "Me", "c1", "M12", "  ", "kith"):
        expect(m, 65, "-q", "join", "--as", bad, says="name", text=good)
    short = world.path("short")
    with open(os.open(short, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write("1234567\n")
    expect(m, 65, "-q", "join", "--passphrase-file", short, says="8 characters", text=good,
           passphrase=False)
    expect(m, 77, "-q", "join", "--no-input", says="--passphrase-file", text=good,
           passphrase=False)
    assert not os.path.exists(m.profile), "nothing of a failed join stays"
    m.join(good)
    expect(m, 78, "-q", "join", says="already a member", text=relay.invite())
    late = Member(world, "late")
    expect(late, 65, "-q", "join", says="once", text=good)
    assert not os.path.exists(late.profile)


def strangers(m, relay):
    """What listens is not a relay: it hangs up, babbles, or says nothing."""
    def serve(behave):
        server = socket.create_server(("127.0.0.1", 0))

        def loop():
            while True:
                try:
                    c, _ = server.accept()
                except OSError:
                    return
                behave(c)
        threading.Thread(target=loop, daemon=True).start()
        return server

    held = []
    invite = relay.invite()
    for behave, code in [(lambda c: c.close(), 76),
                         (lambda c: (c.sendall(b"\x16" * 5000), held.append(c)), 76),
                         (held.append, 69)]:
        server = serve(behave)
        port = server.getsockname()[1]
        expect(m, code, "-q", "--profile", "other", "join", "--timeout", "3",
               text=invite.replace(f":{relay.port}/", f":{port}/"))
        server.close()
    assert not os.path.exists(os.path.join(os.path.dirname(m.profile), "other"))


def unlocking(world, m):
    wrong = world.path("wrong")
    with open(os.open(wrong, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write(PASSPHRASE + "x\n")
    expect(m, 77, "list", "--passphrase-file", wrong, says="does not open", passphrase=False)
    expect(m, 77, "list", "--no-input", says="--passphrase-file", passphrase=False)
    expect(m, 77, "list", says="no terminal", passphrase=False)
    expect(m, 77, "list", "--passphrase-file", "/no/such/file", says="cannot be read",
           passphrase=False)
    expect(m, 77, "list", "--passphrase-file", "/tmp", says="cannot be read", passphrase=False)
    os.chmod(wrong, 0o644)
    expect(m, 77, "list", "--passphrase-file", wrong, says="chmod 600", passphrase=False)
    os.chmod(wrong, 0o600)
    with open(wrong, "w", encoding="ascii"):
        pass
    expect(m, 77, "list", "--passphrase-file", wrong, says="first line", passphrase=False)
    done = m.run("status", "--offline", "--passphrase-file", "-", text=PASSPHRASE + "\n",
                 passphrase=False)
    assert done.returncode == 0, done


def damaged_profile(m):
    kdf, db = (os.path.join(m.profile, n) for n in ("kdf", "profile.db"))
    with open(kdf, "rb") as f:
        good = f.read()
    for bad in [b"", good[:-1], good + b"x", good.replace(b"argon2id", b"argon2ix"),
                good.replace(b" 65536 ", b" 065536 "), good.replace(b" 65536 ", b" 1 "),
                good.replace(b" 65536 ", b" 99999999999999999999 "), b"\0" * len(good),
                good.replace(b" 3\n", b" 0\n"), b"x" * 100000]:
        with open(kdf, "wb") as f:
            f.write(bad)
        expect(m, 74, "list", says="kdf")
    with open(kdf, "wb") as f:
        f.write(good)
    os.chmod(m.profile, 0o755)
    expect(m, 78, "list", says="chmod 700")
    os.chmod(m.profile, 0o700)
    with open(db, "rb") as f:
        whole = f.read()
    with open(db, "wb") as f:
        f.write(os.urandom(len(whole)))
    done = m.run("list", "--offline")
    assert done.returncode in (74, 77) and done.stderr.count("\n") == 1, done
    with open(db, "wb") as f:
        f.write(whole)
    assert m.run("list", "--offline").returncode == 0


def words_and_links(m, other, conv):
    for verb in ("read", "verify", "forget"):
        expect(m, 66, verb, "nobody-here", "--offline", says="kith list")
        expect(m, 66, verb, "c999999", "--offline", says="kith list")
    expect(m, 66, "forget", "m999999", "--offline", says="m999999")
    expect(m, 66, "send", "nobody-here", "--offline", says="kith list", text="hello")
    expect(m, 65, "send", conv, "--offline", says="no text")
    expect(m, 65, "send", conv, "--offline", says="no text", text="\n\n")
    expect(m, 65, "send", conv, "--offline", says="too long", text="x" * 76801)
    raw = m.env
    expect_bytes(m, 65, ["send", conv, "--offline"], b"\xff\xfe\xfd", "UTF-8")
    m.env = raw
    for bad in ["", "hello", "KITH-C:", "KITH-C:" + "A" * 79, "KITH-C:" + "!" * 80, "x" * 5000]:
        expect(m, 65, "accept-link", "--offline", says="link", text=bad)
    expect(m, 65, "accept-link", "--offline", says="mistyped", text="KITH-C:" + "A" * 80)
    expect(m, 65, "accept-link", "--offline", says="kith join",
           text="KITH:127.0.0.1/" + "A" * 52)
    link = m.json("link")
    expect(m, 65, "accept-link", says="yourself", text=link["link"])
    taken = other.json("accept-link", text=link["link"])
    expect(other, 65, "accept-link", says=taken["conv"], text=link["link"])
    m.good("list")
    expect(m, 66, "verify", m.json("link")["conv"], "--offline", says="words")
    expect(m, 66, "alarms", "accept", "a99", says="kith alarms")
    expect(m, 64, "wipe", conv, "--no-input", says="--confirm")
    expect(m, 64, "wipe", "--all", "--confirm=nope", says="default")


def expect_bytes(m, code, args, raw, says):
    done = subprocess.run(m.args(*args), input=raw, capture_output=True, timeout=60, env=m.env,
                          check=False, start_new_session=True)
    assert done.returncode == code and says.encode() in done.stderr, done


def output_lost(m, other, conv, theirs):
    """What could not be shown is not marked as read."""
    other.good("send", theirs, text="C1 \x9b, bidi \u202e, line \u2028.")
    for args in [["read", conv], ["read", conv, "--json"], ["list"], ["list", "--json"],
                 ["status"], ["status", "--json"], ["link"], ["--version"], ["crisis"]]:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(m.args(*args), stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, env=m.env, text=True,
                                  check=False, start_new_session=True)
        told = done.stderr.splitlines()
        assert done.returncode == 74, (args, done)
        assert sum("output could be written" in t for t in told) == 1, (args, told)
    assert [c["unread"] for c in m.json("list") if c["conv"] == conv] == [1]
    done = m.run("read", conv, "--json")
    assert done.returncode == 0 and done.stdout.isascii(), done
    assert json.loads(done.stdout.splitlines()[-1])["text"].endswith("\u2028.")
    assert [c["unread"] for c in m.json("list") if c["conv"] == conv] == [0]


def relay_down(m, relay, conv):
    relay.stop()
    start = time.monotonic()
    done = m.run("send", conv, "--json", text="kept")
    assert done.returncode == 75 and json.loads(done.stdout)["state"] == "queued", done
    assert json.loads(done.stderr)["error"]["code"] == "relay-unreachable"
    assert time.monotonic() - start < 12
    done = m.run("send", conv, "--offline", text="kept too")
    assert done.returncode == 75 and "queued (on this device)" in done.stdout, done
    assert done.stderr.count("\n") == 1 and "kept on this device" in done.stderr
    done = m.run("status")
    assert done.returncode == 0 and "Not reached now; it last answered" in done.stdout, done
    assert "2 messages wait on this device" in done.stdout, done
    assert m.json("status", "--offline")["relay"] == "not-asked"
    done = m.run("read", conv)
    assert done.returncode == 0 and "kept too" in done.stdout
    done = m.run("link", "--timeout", "2")
    assert done.returncode == 75, done
    relay.start()
    assert m.json("send", conv, text="third")["state"] == "sent"
    assert m.json("status", "--offline")["queued"] == 0


def interrupted_prompts(m):
    """Ctrl-C at a passphrase: 130, echo is back, the profile is whole."""
    t = m.terminal("list", "--offline", passphrase=False)
    t.wait("Passphrase: ")
    t.type("half a pass")
    t.read(0.3)
    assert "half" not in t.text
    t.type("\x03")
    assert t.end() == 130, t.text
    assert "stopped" in t.text
    t = m.terminal("list", "--offline", passphrase=False)
    t.wait("Passphrase: ")
    for tries in range(1, 4):  # asked again: else the next try is typed into the shell
        t.type("wrong wrong\r")
        wait_for("told so", 30,
                 lambda n=tries: t.read(0.1).count("does not open the profile") == n)
    assert t.end() == 77, t.text
    t = m.terminal("list", "--offline", passphrase=False)
    t.wait("Passphrase: ")
    t.type(PASSPHRASE + "\r")
    t.wait("linked")
    assert t.end() == 0, t.text
    p = m.spawn("read", "c1", "--follow")
    p.wait("you: ")
    p.process.send_signal(signal.SIGTERM)
    assert p.process.wait(15) == 130


def slips_at_joining(world, relay):
    """Asked again, with what was right kept; after three slips nothing typed is left over."""
    new = Member(world, "eve")
    t = new.terminal("join", passphrase=False)
    t.wait("Invite: ")
    t.type("not an invite\r")
    t.wait("this is not an invite")
    t.type(relay.invite() + "\r")
    t.wait("Passphrase for this device")
    t.type("short\r")
    t.wait("too short")
    t.type("long enough\r")
    t.wait("The same once more")
    t.type("long enouhg\r")
    t.wait("the two passphrases differ")
    t.type("long enough\r")
    wait_for("asked once more", 10, lambda: t.read(0.1).count("The same once more") == 2)
    t.type("long enough\r")
    t.wait("Name others see")
    t.type("x" * 65 + "\r")
    t.wait("a name has 1 to 64 bytes")
    t.type("eve\r")
    t.wait("You are eve in")
    assert t.end() == 0, t.text
    assert "long eno" not in t.text and "short\r" not in t.text, t.text
    t = Member(world, "fay").terminal("join", passphrase=False)
    for tries in range(1, 4):
        wait_for("asked", 10, lambda n=tries: t.read(0.1).count("Invite: ") == n)
        t.type("nonsense\r" if tries < 3 else "nonsense\rtyped ahead\r")
    assert t.end() == 65, t.text


def killed_early(world, m):
    """The file that says how the key is made is there, the database is not."""
    half = Member(world, "half")
    os.makedirs(half.profile, mode=0o700)
    with open(os.path.join(m.profile, "kdf"), "rb") as f:
        kdf = f.read()
    with open(os.path.join(half.profile, "kdf"), "wb") as f:
        f.write(kdf)
    expect(half, 78, "status", says="kith join", passphrase=False)


def membership_ended(m, relay, conv):
    m.run("send", conv, "--offline", text="waits")
    count = len(json.loads(relay.ctl("invites", "--json").stdout)["invites"])
    for number in range(1, count + 1):  # one of them was this member's
        relay.ctl("revoke", str(number))
    expect(m, 77, "send", conv, says="membership has ended", text="too late")
    shown = m.good("read", conv, "--offline")
    assert "queued" not in shown and shown.count("membership has ended") == 2, shown
    for args in (["status"], ["status", "--offline"]):
        shown = m.good(*args)
        assert "this membership has ended" in shown and "wait on this" not in shown, shown
    assert m.json("status", "--offline")["membership_ended"] is True


def main():
    with World() as world:
        m, other = Member(world, "ann"), Member(world, "bob")
        with claim("flags, verbs and words: exit 64"):
            usage(m)
        with claim("a text, invite or link among the arguments: exit 64 and the piped form"):
            text_in_arguments(m)
        with claim("errors for scripts are one JSON object"):
            json_errors(m)
        with claim("no profile: exit 78; the card and the limits need none"):
            no_profile(m)
        relay = Relay(world)
        with claim("joining: bad invites, names, passphrases, relays"):
            joining(world, m, relay)
        with claim("what answers is not the relay"):
            strangers(m, relay)
        with claim("passphrases and their files: exit 77"):
            unlocking(world, m)
        with claim("a damaged profile says so, and is left alone"):
            damaged_profile(m)
        other.join(relay.invite())
        conv, theirs = befriend(m, other)
        with claim("conversations, texts and links: exit 64, 65 and 66"):
            words_and_links(m, other, conv)
        with claim("output that could not be written: exit 74, and nothing is marked as read"):
            output_lost(m, other, conv, theirs)
        with claim("the relay is down: exit 75, kept, and sent later"):
            relay_down(m, relay, conv)
        with claim("prompts on a terminal: hidden, interruptible"):
            interrupted_prompts(m)
        with claim("a join that was killed early: not a member yet, exit 78"):
            killed_early(world, m)
        with claim("a slip while joining on a terminal is asked again, up to three times"):
            slips_at_joining(world, relay)
        with claim("a membership that has ended: not sent, exit 77, and status says it"):
            membership_ended(m, relay, conv)
        wait_for("everything ended", 5, lambda: True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several kith on one profile: one holds, others borrow; lock takes the key from all."""
import os
import signal
import stat
import sys
import time

from kithlib import Member, Relay, World, befriend, claim, wait_for


def main():
    with World() as world:
        relay = Relay(world)
        ann, bob = Member(world, "ann"), Member(world, "bob")
        ann.join(relay.first_invite or relay.invite())
        bob.join(relay.invite())
        convs = befriend(ann, bob)

        with claim("without a holder and without a way to ask: exit 77, one line"):
            done = ann.run("list", "--no-input", passphrase=False)
            assert done.returncode == 77 and done.stderr.count("\n") == 1, done
        with claim("an open chat lends the key to the same person's commands"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("You are writing to bob")
            got = ann.json("list", "--no-input", passphrase=False)
            assert [c["name"] for c in got] == ["bob"], got
        with claim("the socket and its folder are closed to everybody else"):
            folder = os.path.join(ann.env["XDG_RUNTIME_DIR"], "kith")
            sockets = os.listdir(folder)
            assert len(sockets) == 1
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
            mode = os.stat(os.path.join(folder, sockets[0])).st_mode
            assert stat.S_IMODE(mode) & 0o077 == 0
        with claim("what another command writes goes out through the holder"):
            done = ann.json("send", convs[0], text="from a script", passphrase=False)
            assert done["state"] == "sent", done
            assert bob.lines("read", convs[1])[-1]["text"] == "from a script"
        with claim("what comes in is shown by the holder and by a second reader"):
            follow = ann.spawn("read", convs[0], "--follow", "--json", passphrase=False)
            bob.good("send", convs[1], text="to both windows")
            chat.wait("bob: to both windows")
            follow.wait("to both windows")
        with claim("when the holder leaves, the next window takes over and stays online"):
            assert chat.close() == 0
            wait_for("the follower lends the key", 15, lambda: ann.run(
                "list", "--no-input", passphrase=False).returncode == 0, 0.5)
            bob.good("send", convs[1], text="after the change of hands")
            follow.wait("after the change of hands")
        with claim("a killed holder leaves nothing that is in the way"):
            follow.process.kill()
            follow.process.wait()
            assert ann.json("list")[0]["name"] == "bob"
        with claim("after kill -9 of the holder nobody says that the relay is connected"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("Connected to")
            assert ann.json("status", passphrase=False)["relay"] == "connected"
            relay.stop()
            chat.process.kill()  # and at once, while its lock may still be there:
            assert ann.json("status")["relay"] == "offline"
            done = ann.good("status")
            assert "Not reached now; it last answered" in done, done
            chat.process.wait()
            relay.start()
        with claim("lock ends every window of the profile and takes the key away"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("You are writing to bob")
            second = ann.spawn("read", convs[0], "--follow", passphrase=False)
            second.wait("after the change of hands")
            assert ann.json("lock", passphrase=False)["locked"] is True
            assert chat.process.wait(15) == 0, chat.text[-300:]
            assert second.process.wait(15) == 77, second.text[-300:]
            assert "Locked" in chat.text
            assert ann.run("list", "--no-input", passphrase=False).returncode == 77
            assert ann.json("lock", passphrase=False)["locked"] is False
        with claim("lock does not say that nothing is open when it cannot reach what is"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("You are writing to bob")
            env = ann.env
            ann.env = dict(env, XDG_RUNTIME_DIR=os.path.join(world.dir, "elsewhere"))
            os.mkdir(ann.env["XDG_RUNTIME_DIR"], 0o700)
            done = ann.run("lock", passphrase=False)
            ann.env = env
            assert done.returncode == 77 and done.stdout == "", done
            assert "could not be told" in done.stderr and done.stderr.count("\n") == 1, done
            assert chat.process.poll() is None
            assert ann.json("lock", passphrase=False)["locked"] is True
            assert chat.process.wait(15) == 0
        with claim("a holder that cannot be reached says so, and lock says so too"):
            os.mkdir(os.path.join(folder, sockets[0]))  # in the socket's place
            chat = ann.spawn("chat", convs[0])
            chat.wait("You are writing to bob")
            assert chat.text.count("kith lock cannot close it") == 1, chat.text
            assert ann.run("lock", passphrase=False).returncode == 77
            assert chat.close() == 0
            os.rmdir(os.path.join(folder, sockets[0]))
            assert ann.json("lock", passphrase=False)["locked"] is False
        with claim("Ctrl-C ends a follower with 130, and the profile is whole"):
            follow = ann.spawn("read", convs[0], "--follow")
            follow.wait("after the change of hands")
            follow.process.send_signal(signal.SIGINT)
            assert follow.process.wait(15) == 130
            assert ann.json("list")[0]["unread"] == 0
        with claim("killed in the middle of sending, again and again, nothing is lost or twice"):
            for i in range(6):
                p = ann.spawn("chat", convs[0])
                p.wait("You are writing to bob")
                p.say(*[f"burst {i} {k}" for k in range(10)])
                time.sleep(0.05 * i)
                p.process.kill()
                p.process.wait()
            last = ann.spawn("chat", convs[0])
            last.wait("You are writing to bob")
            wait_for("nothing is queued any more", 60, lambda: ann.json(
                "status", "--offline", passphrase=False)["queued"] == 0, 0.5)
            mine = [m["text"] for m in ann.lines("read", convs[0], "--offline")
                    if m["from"] == "me"]

            def all_there():
                return [m["text"] for m in bob.lines("read", convs[1])
                        if m["from"] == "ann"] == mine
            wait_for("both have the same", 30, all_there, 1)
            assert last.close() == 0
        with claim("wipe --all closes what is open, wants the name, and leaves no file"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("You are writing to bob")
            done = ann.run("wipe", "--all", "--no-input", passphrase=False)
            assert done.returncode == 64 and chat.process.poll() is None
            done = ann.run("wipe", "--all", "--confirm=other", passphrase=False)
            assert done.returncode == 64 and chat.process.poll() is None
            assert ann.json("wipe", "--all", "--confirm=default",
                            passphrase=False) == {"v": 1, "wiped": "default"}
            assert chat.process.wait(15) == 0
            assert not os.path.exists(ann.profile)


if __name__ == "__main__":
    sys.exit(main())

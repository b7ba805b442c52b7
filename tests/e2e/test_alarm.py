#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A relay that goes back in time is found out by real programs, and the person decides."""
import json
import shutil
import sys

from kithlib import Member, Relay, World, befriend, claim, wait_for


def main():
    with World() as world:
        relay = Relay(world)
        ann, bob = Member(world, "ann"), Member(world, "bob")
        ann.join(relay.first_invite or relay.invite())
        bob.join(relay.invite())
        convs = befriend(ann, bob)
        ann.good("send", convs[0], text="before the copy")
        bob.lines("read", convs[1])
        relay.stop()
        shutil.copytree(relay.dir, world.path("old"), ignore=lambda d, n: [
            x for x in n if x.endswith(".sock")])
        relay.start()
        for i in range(5):
            ann.good("send", convs[0], text=f"after the copy {i}")
            bob.good("send", convs[1], text=f"answer {i}")
        ann.lines("read", convs[0])
        bob.lines("read", convs[1])
        relay.stop()
        shutil.rmtree(relay.dir)
        shutil.move(world.path("old"), relay.dir)
        relay.start()

        with claim("the person is told, whatever the command was about"):
            wait_for("an alarm", 30, lambda: "alarm" in ann.run("list").stderr, 0.5)
            alarms = ann.json("alarms")
            assert any(a["holds"] for a in alarms), alarms
        with claim("in words: what happened, what was kept, what to do"):
            said = ann.good("alarms")
            for part in ("ALARM a", "The relay", "Everything you had is kept",
                         "kith alarms accept a"):
                assert part in said, said
        with claim("nothing is sent meanwhile: queued, exit 75, and why"):
            done = ann.run("send", convs[0], "--json", text="is this safe?")
            assert done.returncode == 75 and json.loads(done.stdout)["state"] == "queued", done
            assert "kith alarms" in ann.run("read", convs[0], "--offline").stdout
            assert ann.json("status")["held"] is True
        with claim("a chat opens with it, and says it loudly"):
            chat = ann.spawn("chat", convs[0])
            chat.wait("ALARM a")
            chat.wait("Nothing more is sent until you decide")
            assert chat.close() == 0
        with claim("what was there before is all there"):
            texts = [m["text"] for m in ann.lines("read", convs[0], "--offline")]
            assert [t for t in texts if t.startswith("after")] == [
                f"after the copy {i}" for i in range(5)], texts
        with claim("when both have decided to go on, the talk goes on"):
            for m in (ann, bob):
                wait_for("alarms are seen", 30, lambda m=m: "alarm" in m.run("list").stderr, 0.5)
                for _ in range(5):
                    for a in m.json("alarms"):
                        m.good("alarms", "accept", a["alarm"])
                    m.run("list")
                assert m.json("alarms") == []

            def arrived():
                for m in (ann, bob):
                    for a in m.json("alarms"):
                        m.good("alarms", "accept", a["alarm"])
                ann.run("read", convs[0])
                return any(m["text"] == "is this safe?" for m in bob.lines("read", convs[1]))
            wait_for("the held message arrived", 60, arrived, 1)


if __name__ == "__main__":
    sys.exit(main())

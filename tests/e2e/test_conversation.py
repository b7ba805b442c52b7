#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two people talk through a relay that comes and goes: every message once, in one order."""
import sys
import threading
import time

from kithlib import Member, Relay, World, befriend, claim, history, wait_for

EACH_WAY = 200
MEANWHILE = 20


def texts(member, conv, who):
    """(writer, text) in the order of this device; who names the writer called "me"."""
    return [(who if m["from"] == "me" else m["from"], m["text"]) for m in history(member, conv)]


def type_lines(talk, who, first, last):
    for i in range(first, last):
        talk.say(f"{who} line {i:03d}")
        time.sleep(0.005)


def both_type(talks, first, last):
    threads = [threading.Thread(target=type_lines, args=(t, who, first, last))
               for who, t in talks.items()]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def same_histories(ann, bob, convs, count):
    a, b = texts(ann, convs[0], "ann"), texts(bob, convs[1], "bob")
    if len(a) < count or len(b) < count:
        return None
    return a, b


def all_delivered(member, conv):
    return all(m["state"] in ("delivered", "received") for m in history(member, conv))


def main():
    with World() as world:
        with claim("a relay stands with one command"):
            relay = Relay(world)
        ann, bob = Member(world, "ann"), Member(world, "bob")
        with claim("two people join, one makes a link, the other takes it"):
            ann.join(relay.first_invite or relay.invite())
            bob.join(relay.invite())
            convs = befriend(ann, bob)
        with claim("both see the same six words"):
            words = [m.json("verify", c)["words"] for m, c in zip((ann, bob), convs)]
            assert words[0] == words[1] and len(set(words[0])) >= 5, words

        talks = {"ann": ann.spawn("chat", convs[0]), "bob": bob.spawn("chat", convs[1])}
        for t in talks.values():
            t.wait("You are writing to")
        with claim(f"{EACH_WAY // 2} messages each way at once"):
            both_type(talks, 0, EACH_WAY // 2)
        with claim("the relay stops; what is typed meanwhile is kept and said to be queued"):
            relay.stop()
            for t in talks.values():
                t.wait("Offline, trying again", 60)
            both_type(talks, EACH_WAY // 2, EACH_WAY // 2 + MEANWHILE)
            wait_for("queued on both devices", 30, lambda: all(
                m.json("status", "--offline")["queued"] >= MEANWHILE for m in (ann, bob)))
            for t in talks.values():
                t.wait("queued (on this device)")
        with claim("the relay comes back, the rest is typed, and all of it arrives"):
            relay.start()
            both_type(talks, EACH_WAY // 2 + MEANWHILE, EACH_WAY)
            got = wait_for("both histories are whole", 180,
                           lambda: same_histories(ann, bob, convs, 2 * EACH_WAY), 2)
        with claim("identical histories, in the same order, nothing twice, nothing lost"):
            assert got[0] == got[1], [x for x in zip(*got) if x[0] != x[1]][:5]
            assert len(set(got[0])) == len(got[0]) == 2 * EACH_WAY
            for who in ("ann", "bob"):
                mine = [t for w, t in got[0] if w == who]
                assert mine == [f"{who} line {i:03d}" for i in range(EACH_WAY)], mine[:5]
        with claim("each device learns that the other has everything"):
            wait_for("delivered on both sides", 120,
                     lambda: all_delivered(ann, convs[0]) and all_delivered(bob, convs[1]), 2)
        with claim("leaving the chats is clean"):
            for t in talks.values():
                assert t.close() == 0, t.text[-500:]
        with claim("a person offline is written to, and reads it later"):
            assert ann.json("send", convs[0], text="are you there?\n")["state"] == "sent"
            assert any(m["text"] == "are you there?" for m in bob.lines("read", convs[1]))
        with claim("one look is enough for the other side to know that it is there"):
            last = ann.lines("read", convs[0])[-1]
            assert (last["text"], last["state"]) == ("are you there?", "delivered"), last
            assert "you: are you there?   [delivered]" in ann.good("read", convs[0])
        with claim("a long letter is split, joined, and arrives whole"):
            letter = "".join(f"paragraph {i}: how the week went\n" for i in range(300))
            ann.json("send", convs[0], text=letter)
            assert bob.lines("read", convs[1])[-1]["text"] == letter.rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The chat on a real terminal: editing, pasting, arrivals, unknown words, leaving."""
import re
import sys

from kithlib import Member, Relay, World, befriend, claim, history, wait_for


def visible(text):
    """Without escape sequences and what they steer."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07", "", text)


def my_texts(member, conv):
    return [m["text"] for m in history(member, conv) if m["from"] == "me"]


def main():
    with World() as world:
        relay = Relay(world)
        ann, bob = Member(world, "ann"), Member(world, "bob")
        ann.join(relay.first_invite or relay.invite())
        bob.join(relay.invite())
        convs = befriend(ann, bob)

        t = ann.terminal("chat", convs[0])
        with claim("the name of the other person is in the prompt"):
            t.wait("Connected to Night Owls as ann")
            t.wait("to bob> ")
        with claim("a line is sent, and its way is told in words"):
            t.type("good evening\r")
            t.wait("Sent.")
            assert bob.lines("read", convs[1])[-1]["text"] == "good evening"
        with claim("letters beyond ASCII, and editing, arrive as meant"):
            t.type("na\u00efve \u4f60\u597d x\x7f\u00e9\x01>\r")
            wait_for("it is in the history", 10,
                     lambda: my_texts(ann, convs[0])[-1] == ">na\u00efve \u4f60\u597d \u00e9")
        with claim("an arrival is shown at once when nothing is typed"):
            bob.good("send", convs[1], text="hello ann")
            t.wait("bob: hello ann")
        with claim("an arrival waits while a line is half typed; one bell"):
            before = len(t.text)
            t.type("half a sent")
            bob.good("send", convs[1], text="are you there")
            bob.good("send", convs[1], text="or busy")
            t.read(3)
            assert "are you there" not in t.text[before:]
            assert t.text[before:].count("\x07") == 1, repr(t.text[before:])
            t.type("ence\r")
            t.wait("bob: are you there")
            t.wait("bob: or busy")
            wait_for("the line went out whole", 10,
                     lambda: my_texts(ann, convs[0])[-1] == "half a sentence")
        with claim("what is sent from another window is shown too, and once"):
            ann.good("send", convs[0], text="from my other window")
            t.wait("you: from my other window")
            t.type("and from here\r")
            wait_for("it is in the history", 10,
                     lambda: my_texts(ann, convs[0])[-1] == "and from here")
            t.read(2)
            assert visible(t.text).count("you: from my other window") == 1
            assert "you: and from here" not in visible(t.text)
        with claim("an unknown /word is never sent"):
            count = len(my_texts(ann, convs[0]))
            t.type("/hdie\r")
            t.wait("Did you mean /hide?")
            t.type("/frobnicate now\r")
            t.wait("There is no /frobnicate here, so nothing was sent.")
            assert len(my_texts(ann, convs[0])) == count
        with claim("// and a leading space send a slash"):
            t.type("//shrug\r")
            t.type(" /me waves\r")
            wait_for("both are texts", 10,
                     lambda: my_texts(ann, convs[0])[-2:] == ["/shrug", "/me waves"])
        with claim("pasted lines are shown, and are one message after one more Enter"):
            t.type("\x1b[200~first\rsecond\r/third\x1b[201~")
            t.wait("3 lines pasted. Enter sends all of it to bob")
            assert my_texts(ann, convs[0])[-1] == "/me waves"
            t.type("\r")
            wait_for("one message", 10,
                     lambda: my_texts(ann, convs[0])[-1] == "first\nsecond\n/third")
        with claim("Ctrl-C drops what is pasted or typed, and nothing is sent"):
            t.type("\x1b[200~one\rtwo\x1b[201~")
            t.wait("2 lines pasted")
            t.type("\x03")
            t.wait("Line dropped, nothing was sent.")
            t.type("do not send this\x03")
            wait_for("dropped", 10, lambda: t.read(0.1).count("Line dropped") == 2)
            t.type("after\r")
            wait_for("only the next line went", 10,
                     lambda: my_texts(ann, convs[0])[-2:] == ["first\nsecond\n/third", "after"])
        with claim("a message cannot steer the terminal or pose as somebody else"):
            before = len(t.text)
            bob.good("send", convs[1],
                     text="x\x1b[2J\x1b]0;title\x07\u202eevil\u200b\nann: I am ann\n\n\n\nend")
            t.wait("end")
            shown = t.text[before:]
            for bad in ("\x1b[2J", "\x1b]", "\u202e", "\u200b"):
                assert bad not in shown, repr(shown)
            assert "\n  ann: I am ann" in shown.replace("\r", ""), repr(shown)
        with claim("Ctrl-G and /crisis show the card, /verify the words"):
            t.type("\x07")
            t.wait("If you are in danger now")
            t.type("/verify\r")
            t.wait("Do they have the same words?")
            t.type("y\r")
            t.wait("have compared words")
        with claim("/list and /status answer in words"):
            t.type("/list\r")
            t.wait("linked, words compared")
            t.type("/status\r")
            t.wait("Reachable, last checked")
        with claim("Ctrl-D on an empty line leaves, and the terminal is as before"):
            t.type("\x04")
            assert t.end() == 0, t.text[-300:]
            assert t.text.rstrip("\r\n").endswith("start kith again any time.") or \
                "start kith again any time." in t.text[-200:]
            assert "\x1b[?2004l" in t.text
        with claim("Ctrl-Q hides at once"):
            t = ann.terminal("chat", convs[0])
            t.wait("to bob> ")
            t.type("\x11")
            assert t.end() == 0
            assert "\x1b[3J" in t.text
        with claim("Ctrl-C on an empty line leaves with 130"):
            t = ann.terminal("chat", convs[0])
            t.wait("to bob> ")
            t.type("\x03")
            assert t.end() == 130
        with claim("no state differs by colour alone: a dumb terminal says the same words"):
            t = ann.terminal("chat", convs[0], env={"TERM": "dumb", "NO_COLOR": "1"})
            t.wait("to bob> ")
            t.type("plain words\r")
            t.wait("Sent.")
            assert "\x1b" not in t.text, repr(t.text[-300:])
            t.type("/quit\r")
            assert t.end() == 0
        with claim("a conversation forgotten elsewhere: said so, nothing kept, and left"):
            t = ann.terminal("chat", convs[0])
            t.wait("to bob> ")
            ann.good("forget", convs[0], "--offline")
            t.type("for nobody\r")
            t.wait("neither kept nor sent")
            t.wait("kith> ")
            t.type("/quit\r")
            assert t.end() == 0
        with claim("a guest talks with nothing on disk"):
            guest = Member(world, "guest")
            link = bob.json("link")["link"]
            g = guest.spawn("join", "--guest", "--as", "night-guest", passphrase=False)
            g.say(relay.invite())
            g.wait("Nothing is kept on this disk", 60)
            assert link and not any("profile" in x for x in tree(guest.data))
            assert g.close() == 0
        assert visible(t.text)


def tree(folder):
    import os
    return [os.path.join(w, n) for w, d, f in os.walk(folder) for n in d + f]


if __name__ == "__main__":
    sys.exit(main())

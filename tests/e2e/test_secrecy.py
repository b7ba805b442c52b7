#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person types is nowhere but on the two devices' screens; all traffic looks alike."""
import base64
import os
import secrets as randomness
import struct
import sys

from kithlib import PASSPHRASE, Member, Relay, Wire, World, befriend, claim, free_port, wait_for

PHRASE = "the tortoise sleeps beneath the anatomy theatre"
MESSAGES = 60
RECORD = 4480
RECORD_MAX = 62720
ENVELOPE = 4064
HEADER = 16  # the relay's own record header before each stored envelope
PAGE = 4096
REGION_MAX = 128 << 20  # more than that is a sanitizer's shadow


def forms(text):
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield raw.hex().encode()
    for shift in range(3):  # base64, whatever came before it
        yield base64.b64encode(b"\0" * shift + raw)[4:-4]


def files(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()


def assert_nowhere(folder, texts):
    count = 0
    for path, data in files(folder):
        count += 1
        for text in texts:
            for form in forms(text):
                assert form not in data, f"{text!r} is in {path}"
    assert count > 0, folder


# ---- what the relay stores: LMDB's pages, read without LMDB -----------------------------------

def pages(data):
    for at in range(0, len(data) - PAGE + 1, PAGE):
        page = data[at:at + PAGE]
        number, _, flags, low = struct.unpack_from("<QHHH", page)
        if number == at // PAGE:
            yield page, flags, low


def big_sizes(data):
    """Sizes of all values that LMDB keeps outside its leaves."""
    for page, flags, low in pages(data):
        if flags & 0x02 and not flags & 0x20:  # a leaf, of nodes
            for i in range(16, low, 2):
                node, = struct.unpack_from("<H", page, i)
                lo, hi, node_flags, _ = struct.unpack_from("<HHHH", page, node)
                if node_flags & 0x01:
                    yield lo | hi << 16


def stored_envelopes(folder):
    found = []
    for path, data in files(folder):
        if os.path.basename(path) != "data.mdb":
            continue
        sizes = set(big_sizes(data))
        assert sizes <= {HEADER + ENVELOPE}, (path, sizes)
        for page, flags, _ in pages(data):
            if flags & 0x04:
                found.append(page[16 + HEADER:16 + HEADER + ENVELOPE])
    return found


def assert_random(envelopes):
    every = b"".join(envelopes)
    counts = [0] * 256
    for byte in every:
        counts[byte] += 1
    mean = len(every) / 256
    chi = sum((c - mean) ** 2 / mean for c in counts)
    assert 150 < chi < 400, f"chi-square {chi:.0f}, of 255 degrees"  # six standard deviations
    ones = sum(bin(b).count("1") * c for b, c in enumerate(counts))
    bits = 8 * len(every)
    z = (2 * ones - bits) / bits ** 0.5
    assert abs(z) < 6, f"monobit z {z:.1f}"
    for at in range(0, ENVELOPE - 8 + 1):  # no field that two envelopes share
        seen = {e[at:at + 8] for e in envelopes}
        assert len(seen) == len(envelopes), f"bytes {at} to {at + 8} repeat"
    assert_no_place_leans(envelopes)


def assert_no_place_leans(envelopes):
    """Each bit of each place is one half of the time: over 32,512 of them, six standard
    deviations come up by chance once in 15,000 runs."""
    n = len(envelopes)
    total = sum(spread(e) for e in envelopes)
    counts = struct.unpack(f"<{8 * ENVELOPE}H", total.to_bytes(16 * ENVELOPE, "little"))
    for at, ones in enumerate(counts):
        z = (2 * ones - n) / n ** 0.5
        assert abs(z) < 6, f"bit {at % 8} of byte {at // 8}: {ones} of {n}"


SPREAD = [sum((byte >> bit & 1) << 16 * bit for bit in range(8)).to_bytes(16, "little")
          for byte in range(256)]


def spread(envelope):
    """A number with a field of 16 bits for each bit, so that adding counts them all."""
    return int.from_bytes(b"".join(SPREAD[b] for b in envelope), "little")


def leaning_samples(count):
    """Envelopes that are almost random, each sample wrong in another way."""
    def sample(spoil):
        made = []
        for i in range(count):
            e = bytearray(randomness.token_bytes(ENVELOPE))
            spoil(e, i)
            made.append(bytes(e))
        return made

    def constant(e, _):
        e[2000] = 0x80

    def counter(e, i):
        e[32:36] = i.to_bytes(4, "little")

    def letters(e, _):
        e[1500:1700] = bytes(97 + b % 26 for b in e[1500:1700])

    def same_salt(e, i):
        e[16:32] = i.to_bytes(1, "little") * 16 if i < 2 else e[16:32]
        e[16:24] = b"\xa5" * 8 if i < 2 else e[16:24]

    def heavy(e, _):
        for at in range(0, ENVELOPE, 16):
            e[at] |= randomness.randbelow(256)

    return {f.__name__: sample(f) for f in (constant, counter, letters, same_salt, heavy)}


def fails(check, *args):
    try:
        check(*args)
    except AssertionError:
        return True
    return False


# ---- the wire -------------------------------------------------------------------------------------

def records(stream, at):
    while at < len(stream):
        size = 2 + struct.unpack_from("<H", stream, at)[0]
        assert at + size <= len(stream), "a record that never ended"
        yield size
        at += size


def assert_alike(wire):
    for out, back in wire.connections:
        at, start = 0, 0
        if out[:1] == b"\x01":
            at, start = 17, 1216 + 32
        if len(out) <= at:
            continue  # asked, and went away
        assert out[at] == 0
        assert set(records(out, at + 1 + 2368)) <= {RECORD}
        for size in records(back, start + 1152):
            assert size % RECORD == 0 and 0 < size <= RECORD_MAX


def memory_of(pid):
    """Everything private that the process has in memory, or None when we may not look.  (A core
    file of a sanitized program is terabytes of holes; this is what would be in it.)"""
    found = bytearray()
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
                open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
            for line in maps:
                span, mode, _, _, inode, *_ = line.split()
                first, last = (int(x, 16) for x in span.split("-"))
                if "r" not in mode or "w" not in mode or inode != "0" or \
                        last - first > REGION_MAX:
                    continue
                try:
                    mem.seek(first)
                    found += mem.read(last - first)
                except OSError:
                    continue  # guarded pages
    except OSError:
        return None
    return found


def main():
    with World() as world:
        # Members are given the wire's address; the relay listens behind it.
        wire = Wire(world, free_port())
        relay = Relay(world, port=wire.target)
        relay.stop()
        relay.start()

        def invite():
            return relay.invite().replace(f":{relay.port}/", f":{wire.port}/")

        ann, bob = Member(world, "ann"), Member(world, "bob")
        ann.join(invite())
        bob.join(invite())
        convs = befriend(ann, bob)
        one, two = ann.spawn("chat", convs[0]), bob.spawn("chat", convs[1])
        one.wait("You are writing to")
        two.wait("You are writing to")
        with claim(f"{MESSAGES} messages with a phrase go through a recording wire"):
            one.say(*[f"{PHRASE} {i}" for i in range(MESSAGES)])
            two.wait(f"{PHRASE} {MESSAGES - 1}", 60)
            two.say(f"yes: {PHRASE}")
            one.wait(f"yes: {PHRASE}", 60)
        secrets = [PHRASE, PASSPHRASE]
        with claim("no byte on the wire shows it"):
            assert len(wire.connections) >= 6
            for out, back in wire.connections:
                for text in secrets:
                    for form in forms(text):
                        assert form not in out and form not in back
        with claim("it is nowhere in the relay's folder or log"):
            assert_nowhere(relay.dir, secrets)
            for text in (*secrets, "127.0.0.1", "ann", "bob"):
                assert text not in relay.log_text(), relay.log_text()
        with claim("it is nowhere in the open profiles' folders"):
            for member in (ann, bob):
                assert_nowhere(member.profile, [*secrets, member.name + "-nobody"])
                assert not any(b"SQLite format" in d for _, d in files(member.profile))
        with claim("every stored envelope is 4,064 bytes, and looks like noise"):
            got = stored_envelopes(relay.dir)
            assert len(got) >= MESSAGES, len(got)
            assert_random(got)
        with claim("control: noise passes that test, and what leans a little does not"):
            assert_random([randomness.token_bytes(ENVELOPE) for _ in got])
            for name, sample in leaning_samples(len(got)).items():
                assert fails(assert_random, sample), name
        with claim("control: what is looked for would be found, in a file and in its forms"):
            planted = world.path("planted")
            os.mkdir(planted)
            for i, form in enumerate(forms(PHRASE)):
                with open(os.path.join(planted, "file"), "wb") as f:
                    f.write(os.urandom(1000 + i) + form + os.urandom(1000))
                assert fails(assert_nowhere, planted, [PHRASE]), i
            os.remove(os.path.join(planted, "file"))
            for where, member, conv in (("written", ann, convs[0]), ("read", bob, convs[1])):
                shown = member.good("read", conv, "--offline")
                assert f"{PHRASE} {MESSAGES - 1}" in shown, where
        with claim("the relay's memory does not show it"):
            data = memory_of(relay.pid())
            if not data:
                print("   (left out: this user may not look)")
            else:
                assert b"Night Owls" in data  # it is the relay's memory indeed
                for text in secrets:
                    for form in forms(text):
                        assert form not in data
        with claim("neither kith nor kithd may be dumped"):
            for pid in (one.process.pid, two.process.pid, relay.pid()):
                with open(f"/proc/{pid}/limits", encoding="ascii") as f:
                    line = [x for x in f if x.startswith("Max core file size")][0]
                assert line.split()[4:6] == ["0", "0"], line
        with claim("forgetting takes it off the disk, and the other device keeps its copy"):
            ann.good("forget", convs[0])
            assert ann.json("list") == []
            assert any(PHRASE in m["text"] for m in bob.lines("read", convs[1], "--offline"))
        assert one.close() == 0 and two.close() == 0
        with claim("nor after all is closed: in the profiles, or what else a person's kith left"):
            for member in (ann, bob):
                assert_nowhere(member.data, secrets)
                for path, data in files(world.path(member.name)):
                    assert path == member.pw or not any(t.encode() in data for t in secrets), path
        with claim("client records have one size, the relay's are multiples of it"):
            wait_for("the last connections are gone", 15, lambda: wire.open == 0)
            assert_alike(wire)
            assert sum(len(out) for out, _ in wire.connections) > MESSAGES * RECORD


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the frozen vectors beside it from peer.py, the second implementation.

    KITH_SODIUM_SO=.../libkithsodium.so tests/vectors/freeze.py [--check]

--check compares instead: exit 1 and a line for each file that would change.  Every random value
is derived from its name, so that two runs give the same bytes.
"""

import json
import os
import sys

import peer

HERE = os.path.dirname(os.path.abspath(__file__))


def given(name, size):
    """A value that stands for randomness."""
    return peer.expand(peer.extract(b"", b"kith frozen vectors, version 1"), name.encode(), size)


def hexed(value):
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {k: hexed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [hexed(v) for v in value]
    return value


COHORT = given("cohort id", 32)


# ---- channel ---------------------------------------------------------------------------------


def handshake(i):
    relay_seed, seed = given("relay %d" % i, 32), given("client %d" % i, 32)
    client_eseed, relay_eseed = given("to relay %d" % i, 64), given("to client %d" % i, 64)
    relay_pk, relay_sk = peer.kem_pair(relay_seed)
    client = peer.ClientHandshake(relay_pk, seed, client_eseed)
    message_2, at_relay = peer.relay_answer(relay_pk, relay_sk, client.message_1, relay_eseed)
    at_client = client.finish(message_2)
    assert at_client.hash == at_relay.hash
    assert at_client.send.key == at_relay.receive.key == at_client.to_relay
    assert at_client.receive.key == at_relay.send.key == at_client.to_client
    return at_client, {
        "relay_seed": relay_seed, "relay_pk": relay_pk, "client_seed": seed,
        "client_eseed": client_eseed, "relay_eseed": relay_eseed, "cohort": COHORT,
        "fingerprint": peer.fingerprint(relay_pk, COHORT),
        "message_1": client.message_1, "message_2": message_2, "hash": at_client.hash,
        "key_to_relay": at_client.to_relay, "key_to_client": at_client.to_client,
    }


def records(channel):
    """Records 0 to 3 of each direction, then those around the rekey."""
    out = {"key_to_relay": channel.to_relay, "key_to_client": channel.to_client}
    sizes = {"to_relay": [0, 1, 300, 4444], "to_client": [0, 4444, 4445, 62684]}
    for name, key in (("to_relay", channel.to_relay), ("to_client", channel.to_client)):
        direction = peer.Direction(key, name == "to_client")
        rows = []
        for i, used in enumerate(sizes[name] + [77, 77, 77]):
            if i == 4:
                direction.counter = 65534  # the key changes only after record 65,535
            pattern = given("frames %s %d" % (name, i), 64)
            frames = (pattern * (used // 64 + 1))[:used]
            row = {"counter": direction.counter, "key": direction.key, "used": used,
                   "pattern": pattern}
            record = direction.seal(frames)
            row["bytes"], row["hash"] = len(record), peer.H(record)
            if len(record) == 4480 and i in (0, 2, 6):
                row["record"] = record
            rows.append(row)
        out[name] = rows
    return out


def channel_file():
    made = [handshake(i) for i in range(3)]
    return {"handshakes": [row for _, row in made], "records": records(made[0][0])}


# ---- session -----------------------------------------------------------------------------------

# What happens, in order: who sends or opens which envelope.  The taker has the odd turns.
# Opened late, or never, are some of turns 1, 2, 3 and 5.
SCRIPT = [
    ("send", 1, 1), ("send", 1, 2), ("send", 1, 3),
    ("open", 1, 2), ("send", 2, 0), ("send", 2, 1), ("send", 2, 2),
    ("open", 2, 1), ("send", 3, 0), ("send", 3, 1), ("send", 3, 2),
    ("open", 3, 2), ("open", 1, 1), ("open", 1, 3), ("send", 4, 0), ("send", 4, 1), ("send", 4, 2),
    ("open", 4, 0), ("open", 2, 0), ("open", 2, 2), ("send", 5, 0), ("send", 5, 1), ("send", 5, 2),
    ("send", 5, 3),
    ("open", 5, 3), ("send", 6, 0), ("send", 6, 1),
    ("open", 6, 1), ("open", 6, 0), ("open", 3, 0), ("open", 5, 0), ("open", 4, 2),
]


def payload_of(name):
    size = 40 + given("size of " + name, 1)[0]
    return given("payload of " + name, size)


class Story:
    def __init__(self):
        self.secret = given("link secret", 32)
        self.offer_seed = given("offer pair", 32)
        self.offer_pk, self.offer_sk = peer.kem_pair(self.offer_seed)
        self.taker = peer.Session(True, COHORT, self.secret, self.offer_pk)
        self.inviter = peer.Session(False, COHORT, self.secret, self.offer_pk)
        self.turns, self.sent = [], {}

    def begin(self, session, number):
        seed, eseed = given("pair %d" % number, 32), given("kem %d" % number, 64)
        self.turns.append({"turn": number, "seed": seed, "eseed": eseed, "messages": []})
        return seed, eseed

    def note_turn(self, session):
        row = self.turns[-1]
        row.update(pk=session.pk, ct=session.ct, th=session.th, rk=session.rk, hk=session.hk,
                   hk_next=session.hk_next, tag_255=peer.tag_of(session.hk, 255))

    def note_message(self, session, n, salt, payload, envelope, mk):
        self.sent[session.mine, n] = (envelope, payload)
        self.turns[-1]["messages"].append({
            "n": n, "pn": session.sent_before, "salt": salt, "tag": envelope[:16], "mk": mk,
            "k_hdr": peer.header_key(session.hk, n, salt), "k_body": peer.body_key(mk, salt),
            "payload": payload, "envelope": envelope})

    def link(self):
        salt, payload = given("offer salt", 16), payload_of("offer")
        offer = peer.offer_seal(self.secret, salt, self.offer_pk, payload)
        assert peer.offer_open(self.secret, offer) == (self.offer_pk, payload)
        th_0, rk_0 = self.taker.th, self.taker.rk
        row = {"secret": self.secret, "cohort": COHORT, "pair_seed": self.offer_seed,
               "pk": self.offer_pk, "th_0": th_0, "rk_0": rk_0, "offer_salt": salt,
               "offer_payload": payload, "offer": offer}

        seed, eseed = self.begin(self.taker, 1)
        ck = peer.turn_keys(1, th_0, rk_0, self.offer_pk, *peer.kem_enc(self.offer_pk, eseed))["ck"]
        self.turns[-1]["ck"] = ck
        salt, payload = given("salt 1 0", 16), payload_of("message 1 0")
        take = self.taker.take(self.secret, seed, eseed, salt, payload)
        self.note_turn(self.taker)
        row.update(take_salt=salt, take_payload=payload, take=take, rs=self.taker.rs,
                   take_k_body=peer.body_key(peer.message_key(ck), salt))
        assert self.inviter.open_take(self.secret, self.offer_sk, take) == payload
        assert self.inviter.rs == self.taker.rs
        return row

    def send(self, number, n):
        session = self.taker if number % 2 else self.inviter
        seed = eseed = None
        if session.begins_turn():
            seed, eseed = self.begin(session, number)
        salt, payload = given("salt %d %d" % (number, n), 16), payload_of("message %d %d" % (number, n))
        before = session.rk, session.th, session.peer_pk
        begun = seed is not None
        mk = None if begun else peer.message_key(session.ck)
        envelope = session.seal(payload, salt, seed, eseed)
        assert session.mine == number
        if begun:
            rk, th, pk = before
            keys = peer.turn_keys(number, th, rk, pk, *peer.kem_enc(pk, eseed))
            self.turns[-1]["ck"] = keys["ck"]
            mk = peer.message_key(keys["ck"])
            self.note_turn(session)
        self.note_message(session, n, salt, payload, envelope, mk)

    def open(self, number, n):
        session = self.inviter if number % 2 else self.taker
        envelope, payload = self.sent[number, n]
        assert session.find(envelope)
        assert session.open(envelope) == (number, n, payload)
        try:
            session.open(envelope)
        except peer.Refused:
            return
        raise AssertionError("opened twice")


def session_file():
    story = Story()
    link = story.link()
    for what, number, n in SCRIPT:
        (story.send if what == "send" else story.open)(number, n)
    assert story.taker.th_2 == story.inviter.th_2
    raw, words = peer.verify_bytes(story.taker.th_2)
    return {"link": link, "turns": story.turns,
            "script": [{"do": d, "turn": t, "n": n} for d, t, n in SCRIPT],
            "verify": {"th_2": story.taker.th_2, "bytes": raw, "words": words}}


# ---- one ciphertext, two keys ----------------------------------------------------------------

P1305 = 2**130 - 5


def poly_blocks(data):
    return [peer.from_le(data[i:i + 16]) + 2**128 for i in range(0, len(data), 16)]


def poly_key(key):
    stream = peer.chacha20_stream(key, 32)
    return peer.from_le(stream[:16]) & 0x0ffffffc0ffffffc0ffffffc0fffffff, peer.from_le(stream[16:])


def padded16(data):
    return data + bytes(-len(data) % 16)


def poly_sum(r, blocks):
    a = 0
    for c in blocks:
        a = (a + c) * r % P1305
    return a


def two_keys_file():
    """A mail body that verifies under two keys [6.1].  Two blocks of the payload are chosen so that
    both Poly1305 sums hit the same tag; the plaintext under the second key is noise."""
    k1, k2 = given("key one", 32), given("key two", 32)
    th, head = given("two keys th", 32), given("two keys head", 32 + 2360)
    ad, free = th + head, (4, 5)  # blocks of the ciphertext that fall into the payload
    payload = given("two keys payload", 200)
    plain = bytes(32) + peer.le(len(payload), 2) + payload + bytes(1656 - 34 - len(payload))
    ct = bytearray(peer.seal(k1, ad, plain)[:-16])
    tail = peer.le(len(ad), 8) + peer.le(len(ct), 8)
    before = len(padded16(ad)) // 16
    keys = [poly_key(k) for k in (k1, k2)]
    for attempt in range(10000):
        tag = given("two keys tag %d" % attempt, 16)
        for i in free:
            ct[16 * i:16 * i + 16] = bytes(16)
        blocks = poly_blocks(padded16(ad) + padded16(bytes(ct)) + tail)
        for i in free:
            blocks[before + i] = 0
        powers = [[pow(r, len(blocks) - before - i, P1305) for i in free] for r, _ in keys]
        wanted = [((peer.from_le(tag) - s) % 2**128 - poly_sum(r, blocks)) % P1305 for r, s in keys]
        (a, b), (c, d) = powers
        inverse = pow(a * d - b * c, -1, P1305)
        x = (wanted[0] * d - b * wanted[1]) * inverse % P1305
        y = (a * wanted[1] - wanted[0] * c) * inverse % P1305
        if all(2**128 <= v < 2**129 for v in (x, y)):
            for i, v in zip(free, (x, y)):
                ct[16 * i:16 * i + 16] = peer.le(v - 2**128, 16)
            break
    sealed = bytes(ct) + tag
    opened = peer.unseal(k1, ad, sealed)
    assert any(peer.unseal(k2, ad, sealed)[:32])
    assert peer.body_open(k1, ad, sealed) == opened[34:34 + len(payload)]
    return {"key_1": k1, "key_2": k2, "th": th, "envelope": head + sealed,
            "payload": opened[34:34 + len(payload)]}


# ---- names and board ---------------------------------------------------------------------------


def names_file():
    finger = given("fingerprint", 16)
    hosts = [("relay.example", 7443), ("127.0.0.1", 7443), ("127.0.0.1", 17443), ("::1", 7443),
             ("2001:db8::7443", 443), ("a" * 56 + ".onion", 7443), ("kith", 1)]
    invites = []
    for host, port in hosts:
        secret = given("invite %s" % host, 16)
        invites.append({"host": host, "port": port, "secret": secret, "fingerprint": finger,
                        "text": peer.invite_print(host, port, secret, finger)})
    links = []
    for bucket, first, hour in ((2, 1, 1), (257, 256 * (2**32 - 1) + 1, 2**32 - 1),
                                (77, 256 * 12345 + 1, 500000)):
        secret = given("link %d" % bucket, 32)
        text = peer.link_print(secret, bucket, first, hour, COHORT)
        row = {"secret": secret, "bucket": bucket, "from": first, "last_hour": hour}
        assert peer.link_parse(text, COHORT) == row
        links.append(dict(row, cohort=COHORT, text=text))
    return {"invites": invites, "links": links}


def descriptor_file():
    pk, sk = peer.sign_pair(given("admin", 32))
    relay_pk, _ = peer.kem_pair(given("relay 0", 32))
    d = {"v": 1, "n": "Charité, year of ’31", "a": [pk], "m": 1,
         "r": [("relay.example", peer.H(relay_pk)), ("2001:db8::1*443", given("second relay", 32))],
         "b": 3, "s": 600, "d": 14, "x": 25000}
    body = peer.descriptor_body(d)
    first = {"seed": given("admin", 32), "pk": pk, "fields": dict(d), "body": body,
             "id": peer.H(body), "signed": peer.descriptor_sign(body, [sk])}
    return {"descriptor": first}


def chain_file():
    rows = []
    for bucket in (0, 2, 257):
        head = peer.head_0(COHORT, bucket)
        heads = [head]
        for seq in range(1, 4):
            head = peer.head_next(head, seq, (given("log %d %d" % (bucket, seq), 254) * 16)[:4064])
            heads.append(head)
        rows.append({"bucket": bucket, "heads": heads,
                     "repeated_16_times": [given("log %d %d" % (bucket, s), 254) for s in (1, 2, 3)]})
    return {"cohort": COHORT, "chains": rows}


# ---- messages ------------------------------------------------------------------------------------


def messages_file():
    pack = peer.pack
    key, sk = peer.sign_pair(given("member", 32))
    secret, h = given("an invite's secret", 16), given("channel hash", 64)
    envelope, head = given("an envelope", 254) * 16, given("a head", 32)
    enrol = peer.sign(sk, b"kith1 enrol" + COHORT + h + secret)
    prove = peer.sign(sk, b"kith1 prove" + COHORT + h)
    signed = [given("descriptor one", 90), given("descriptor two", 300)]
    rows = {
        "hello": [0, 0, "hello", {"v": [1]}],
        "hello_result": [1, 0, None, {"v": 1, "t": 1900000000, "d": 3}],
        "descriptors": [0, 1, "descriptors", {"f": 1}],
        "descriptors_result": [1, 1, None, {"d": signed}],
        "enrol": [0, 127, "enrol", {"i": secret, "k": key, "s": enrol}],
        "prove": [0, 128, "prove", {"k": key, "s": prove}],
        "nil_result": [1, 128, None, None],
        "post": [0, 65536, "post", {"b": 2, "e": envelope}],
        "post_result": [1, 65536, None, {"s": 4294967296, "h": head}],
        "subscribe": [0, 2**32 - 1, "subscribe", {"b": 257, "f": 257, "c": 4096}],
        "subscribe_head": [0, 5, "subscribe", {"b": 2, "c": 0}],
        "subscribe_result": [1, 5, None, {"f": 257, "h": head, "n": 300, "o": 1}],
        "unsubscribe": [0, 6, "unsubscribe", {"b": 2}],
        "credit": [2, "credit", {"b": 2, "c": 64}],
        "envelopes": [2, "envelopes", [2, 256, head, envelope * 3]],
        "gap": [2, "gap", {"b": 0, "f": 1025, "h": head}],
        "error": [1, 7, [9, "no such bucket"], None],
    }
    payloads = {
        "text": {"t": 1, "i": given("id", 16), "m": 31000000, "b": "Bist du wach? 🙂"},
        "part": {"t": 1, "i": given("id", 16), "m": 31000000, "b": "a" * 1200, "p": [63, 64], "o": 2**32 - 1,
                 "a": [[1, 4, b"\x05"], [3, 256, b""], [5, 256, bytes(31) + b"\x80"],
                       [7, 9, b"\xff\x01"]],
                 "g": {"d": [12, head[:8]], "c": head[8:16], "p": [2, 77, head[16:24]]}},
        "ack": {"t": 2, "i": given("id", 16), "m": 31000000, "a": [[2, 1, b""]]},
        "accept": {"t": 3, "i": given("id", 16), "m": 31000000, "n": "Mira", "k": 2},
        "take": {"t": 15, "i": given("id", 16), "m": 0, "g": {"c": head[8:16]}, "n": "", "k": 257},
        "empty": {"t": 6, "i": given("id", 16), "m": 2**32 - 1},
    }
    return {
        "member_seed": given("member", 32), "cohort": COHORT, "hash": h, "invite_secret": secret,
        "envelope_254_times_16": given("an envelope", 254), "head": head, "signed": signed,
        "frames": {name: pack(v) for name, v in rows.items()},
        "payload_id": given("id", 16),
        "payloads": {name: pack(v) for name, v in payloads.items()},
    }


FILES = {
    "channel.json": channel_file, "session.json": session_file, "two_keys.json": two_keys_file,
    "names.json": names_file, "descriptor.json": descriptor_file, "chain.json": chain_file,
    "messages.json": messages_file,
}


def main():
    check, changed = sys.argv[1:] == ["--check"], 0
    for name, make in FILES.items():
        text = json.dumps(hexed(make()), indent=1, ensure_ascii=True) + "\n"
        path = os.path.join(HERE, name)
        if not check:
            with open(path, "w") as f:
                f.write(text)
            continue
        with open(path) as f:
            if f.read() != text:
                print("%s: peer.py now gives other bytes" % name)
                changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main())

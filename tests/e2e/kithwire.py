# SPDX-License-Identifier: Apache-2.0
"""kithwire: both ends of kith's protocol in the tests' language, over the layers of
tests/vectors/peer.py.

Client is a member without kith: it can post and read what it likes.  Numbers in brackets are
sections of proto/SPEC.md.
"""
import os
import secrets
import socket
import sys

sys.dont_write_bytecode = True
SOURCE = os.environ.get("KITH_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "vectors"))
if not os.path.exists(os.environ.get("KITH_SODIUM_SO", "")):
    print("skipped: KITH_SODIUM_SO names no shared libsodium (target kith-sodium-shared)")
    sys.exit(77)
import peer  # noqa: E402

ENVELOPE = 4064
CODES = {1: "malformed", 2: "unsupported", 6: "not-a-member", 7: "revoked", 8: "invite-used",
         9: "no-such-bucket", 10: "too-large", 11: "rate-limited", 12: "storage-full",
         13: "unavailable", 14: "internal"}


class Gone(Exception):
    """The other side closed the connection."""


class Refusal(Exception):
    """The relay's error answer."""


# ---- MessagePack: what peer.pack writes -----------------------------------------------------


def unpack(data, at=0):
    """(value, position behind it)"""
    b = data[at]
    at += 1
    if b < 0x80 or b >= 0xe0:
        return (b if b < 0x80 else b - 256), at
    if b < 0x90:
        return _map(data, at, b & 15)
    if b < 0xa0:
        return _array(data, at, b & 15)
    if b < 0xc0:
        return data[at:at + (b & 31)].decode(), at + (b & 31)
    if b in (0xc0, 0xc2, 0xc3):
        return {0xc0: None, 0xc2: False, 0xc3: True}[b], at
    kind, width = _WIDE[b]
    n = int.from_bytes(data[at:at + width], "big", signed=kind == "int")
    at += width
    if kind in ("uint", "int"):
        return n, at
    if kind == "array":
        return _array(data, at, n)
    if kind == "map":
        return _map(data, at, n)
    raw = bytes(data[at:at + n])
    return (raw if kind == "bin" else raw.decode()), at + n


_WIDE = {0xc4: ("bin", 1), 0xc5: ("bin", 2), 0xc6: ("bin", 4), 0xcc: ("uint", 1),
         0xcd: ("uint", 2), 0xce: ("uint", 4), 0xcf: ("uint", 8), 0xd0: ("int", 1),
         0xd1: ("int", 2), 0xd2: ("int", 4), 0xd3: ("int", 8), 0xd9: ("str", 1),
         0xda: ("str", 2), 0xdb: ("str", 4), 0xdc: ("array", 2), 0xdd: ("array", 4),
         0xde: ("map", 2), 0xdf: ("map", 4)}


def _array(data, at, n):
    out = []
    for _ in range(n):
        value, at = unpack(data, at)
        out.append(value)
    return out, at


def _map(data, at, n):
    out = {}
    for _ in range(n):
        key, at = unpack(data, at)
        out[key], at = unpack(data, at)
    return out, at


def unpack_all(data):
    """The frames of one record."""
    out, at = [], 0
    while at < len(data):
        value, at = unpack(data, at)
        out.append(value)
    return out


def exactly(s, n):
    data = bytearray()
    while len(data) < n:
        try:
            some = s.recv(n - len(data))
        except (ConnectionError, TimeoutError) as e:
            raise Gone(str(e)) from e
        if not some:
            raise Gone("closed")
        data += some
    return bytes(data)


def read_record(s, direction):
    """Frames of the next record [2.4]."""
    head = exactly(s, 2)
    return unpack_all(direction.open(head + exactly(s, peer.from_le(head))))


def write_record(s, direction, *frames):
    try:
        s.sendall(direction.seal(b"".join(peer.pack(f) for f in frames)))
    except OSError as e:
        raise Gone(str(e)) from e


# ---- a member without kith --------------------------------------------------------------------


class Invite:
    """[5.4]"""

    def __init__(self, text):
        where, _, code = text.removeprefix("KITH:").partition("/")
        raw = peer.unbase32(code)
        self.host, _, port = where.partition(":")
        self.port = int(port or 7443)
        self.secret, self.fingerprint = raw[:16], raw[16:]

    def ask(self):
        """The relay's key and cohort id, by the fingerprint [2.1]."""
        with socket.create_connection((self.host, self.port), timeout=20) as s:
            s.sendall(b"\x01" + self.fingerprint)
            pk, cohort = exactly(s, 1216), exactly(s, 32)
        assert peer.fingerprint(pk, cohort) == self.fingerprint
        return pk, cohort


class Person:
    """A member key and what it takes to reach the relay."""

    def __init__(self, invite):
        i = Invite(invite)
        self.port = i.port
        self.pk, self.cohort = i.ask()
        self.member_pk, self.member_sk = peer.sign_pair(secrets.token_bytes(32))
        c = self.connect(prove=False)
        sig = peer.sign(self.member_sk, b"kith1 enrol" + self.cohort + c.channel.hash + i.secret)
        c.call("enrol", {"i": i.secret, "k": self.member_pk, "s": sig})
        c.close()

    def connect(self, prove=True):
        c = Client(self.port, self.pk)
        c.call("hello", {"v": [1]})
        if prove:
            sig = peer.sign(self.member_sk, b"kith1 prove" + self.cohort + c.channel.hash)
            c.call("prove", {"k": self.member_pk, "s": sig})
        return c


class Client:
    """One connection, after its handshake."""

    def __init__(self, port, relay_pk, timeout=20):
        try:
            self.s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        except OSError as e:
            raise Gone(str(e)) from e
        shake = peer.ClientHandshake(relay_pk, secrets.token_bytes(32), secrets.token_bytes(64))
        try:
            self.s.sendall(b"\x00" + shake.message_1)
        except OSError as e:
            raise Gone(str(e)) from e
        self.channel = shake.finish(exactly(self.s, 1152))
        self.id = 0
        self.waiting = []  # frames that came and were not asked for yet

    def send(self, method, params):
        """A request; its id."""
        self.id += 1
        write_record(self.s, self.channel.send, [0, self.id, method, params])
        return self.id

    def notify(self, method, params):
        write_record(self.s, self.channel.send, [2, method, params])

    def next(self):
        while not self.waiting:
            self.waiting = read_record(self.s, self.channel.receive)
        return self.waiting.pop(0)

    def call(self, method, params):
        asked, kept = self.send(method, params), []
        while True:
            frame = self.next()
            if frame[0] == 1 and frame[1] == asked:
                break
            kept.append(frame)
        self.waiting = kept + self.waiting
        if frame[2] is not None:
            raise Refusal(CODES.get(frame[2][0], frame[2][0]))
        return frame[3]

    def post(self, bucket, envelope):
        return self.call("post", {"b": bucket, "e": envelope})

    def read(self, bucket, first, credit=4096):
        """All there is from seq `first` on: (answer of subscribe, [(seq, envelope)]), the chain
        checked [4.2]."""
        start = self.call("subscribe", {"b": bucket, "f": first, "c": credit})
        got, head, left = [], start["h"], credit
        while start["f"] + len(got) < start["n"]:
            frame = self.next()
            assert frame[0] == 2 and frame[1] == "envelopes", frame[:2]
            of, seq, claimed, raw = frame[2]
            if of != bucket:
                continue  # was on its way when that one was unsubscribed
            assert seq == start["f"] + len(got), (of, seq, start, len(got))
            for at in range(0, len(raw), ENVELOPE):
                head = peer.head_next(head, seq, raw[at:at + ENVELOPE])
                got.append((seq, raw[at:at + ENVELOPE]))
                seq += 1
            assert head == claimed, "the chain does not fit"
            left -= len(raw) // ENVELOPE
            if left < credit // 2:
                self.notify("credit", {"b": bucket, "c": credit - left})
                left = credit
        self.call("unsubscribe", {"b": bucket})
        return dict(start, head=head), got

    def close(self):
        self.s.close()

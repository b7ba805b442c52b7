# SPDX-License-Identifier: Apache-2.0
"""A second implementation of kith's protocol, written from proto/SPEC.md alone.

Numbers in brackets are sections of that page.  Primitives come from libsodium (1.0.22 or
newer; the environment's KITH_SODIUM_SO names the shared object); everything above them is here
a second time: handshake, records, the turns of a session, envelopes, the strings people hand each
other, descriptors and messages.  It is for tests: slow, and careless with secrets in memory.
Nothing in it draws randomness; the caller hands in every random value.
"""

import base64
import copy
import ctypes
import os

_so = ctypes.CDLL(os.environ["KITH_SODIUM_SO"])
if _so.sodium_init() < 0:
    raise RuntimeError("libsodium does not start")


class Refused(Exception):
    """What a peer must not be told more about."""


# ---- primitives [1] ------------------------------------------------------------------------


def _call(name, *args):
    """Bytes stay, ints become unsigned long long (sizes and counts)."""
    function = getattr(_so, name)
    function.restype = ctypes.c_int
    return function(*(ctypes.c_ulonglong(a) if isinstance(a, int) else a for a in args))


def _room(n):
    return ctypes.create_string_buffer(n)


def le(value, width):
    return value.to_bytes(width, "little")


def from_le(data):
    return int.from_bytes(data, "little")


def _blake2b(size, key, message):
    out = _room(size)
    if _call("crypto_generichash_blake2b", out, size, message, len(message), key or None, len(key)):
        raise ValueError("blake2b")
    return out.raw


def H(*parts):
    return _blake2b(32, b"", b"".join(parts))


def B(key, *parts):
    return _blake2b(32, key, b"".join(parts))


def B16(key, *parts):
    return _blake2b(16, key, b"".join(parts))


def sha512(*parts):
    out, message = _room(64), b"".join(parts)
    _call("crypto_hash_sha512", out, message, len(message))
    return out.raw


def extract(salt, ikm):
    out = _room(64)
    if _call("crypto_kdf_hkdf_sha512_extract", out, salt, len(salt), ikm, len(ikm)):
        raise ValueError("extract")
    return out.raw


def expand(prk, info, size):
    assert len(prk) == 64
    out = _room(size)
    if _call("crypto_kdf_hkdf_sha512_expand", out, size, info, len(info), prk):
        raise ValueError("expand")
    return out.raw


def kem_pair(seed):
    """The public key of a seed; the seed is the secret key."""
    assert len(seed) == 32
    pk, sk = _room(1216), _room(32)
    if _call("crypto_kem_xwing_seed_keypair", pk, sk, seed):
        raise ValueError("keypair")
    return pk.raw, sk.raw


def kem_enc(pk, eseed):
    assert len(pk) == 1216 and len(eseed) == 64
    ct, ss = _room(1120), _room(32)
    if _call("crypto_kem_xwing_enc_deterministic", ct, ss, pk, eseed):
        raise Refused("public key")
    return ct.raw, ss.raw


def kem_dec(sk, ct):
    assert len(sk) == 32 and len(ct) == 1120
    ss = _room(32)
    if _call("crypto_kem_xwing_dec", ss, ct, sk):
        raise Refused("ciphertext")
    return ss.raw


def _aead_seal(name, tag, key, nonce, ad, plain):
    out = _room(len(plain) + tag)
    _call("crypto_aead_%s_encrypt" % name, out, None, plain, len(plain), ad, len(ad), None, nonce, key)
    return out.raw


def _aead_open(name, tag, key, nonce, ad, sealed):
    if len(sealed) < tag:
        raise Refused("short")
    out = _room(max(1, len(sealed) - tag))
    if _call("crypto_aead_%s_decrypt" % name, out, None, None, sealed, len(sealed), ad, len(ad),
             nonce, key):
        raise Refused("forged")
    return out.raw[: len(sealed) - tag]


def seal(key, ad, plain):
    return _aead_seal("chacha20poly1305_ietf", 16, key, bytes(12), ad, plain)


def unseal(key, ad, sealed):
    return _aead_open("chacha20poly1305_ietf", 16, key, bytes(12), ad, sealed)


def aegis_seal(key, counter, ad, plain):
    return _aead_seal("aegis256", 32, key, le(counter, 8) + bytes(24), ad, plain)


def aegis_open(key, counter, ad, sealed):
    return _aead_open("aegis256", 32, key, le(counter, 8) + bytes(24), ad, sealed)


def chacha20_stream(key, size):
    """For the one test vector that needs Poly1305's key: nonce of zeros, from block 0."""
    out = _room(size)
    _call("crypto_stream_chacha20_ietf", out, size, bytes(12), key)
    return out.raw


def sign_pair(seed):
    pk, sk = _room(32), _room(64)
    _call("crypto_sign_ed25519_seed_keypair", pk, sk, seed)
    return pk.raw, sk.raw


def sign(sk, message):
    sig = _room(64)
    _call("crypto_sign_ed25519_detached", sig, None, message, len(message), sk)
    return sig.raw


def sign_check(pk, message, sig):
    if _call("crypto_sign_ed25519_verify_detached", sig, message, len(message), pk):
        raise Refused("signature")


def argon2id(password, salt, mem_bytes, passes, size):
    out = _room(size)
    function = _so.crypto_pwhash_argon2id
    function.restype = ctypes.c_int
    if function(out, ctypes.c_ulonglong(size), password, ctypes.c_ulonglong(len(password)), salt,
                ctypes.c_ulonglong(passes), ctypes.c_size_t(mem_bytes), ctypes.c_int(2)):
        raise MemoryError("argon2id")
    return out.raw


# ---- channel [2] ---------------------------------------------------------------------------

NAME = b"Noise_pqNK_XWing_AEGIS256_SHA512"


class _Symmetric:
    def __init__(self, relay_pk):
        self.h = self.ck = NAME + bytes(64 - len(NAME))
        self.k, self.n = None, 0
        self.mix_hash(b"kith/1")
        self.mix_hash(relay_pk)

    def mix_hash(self, data):
        self.h = sha512(self.h, data)

    def mix_key(self, ss):
        two = expand(extract(self.ck, ss), b"", 128)
        self.ck, self.k, self.n = two[:64], two[64:96], 0

    def encrypt_nothing(self):
        tag = aegis_seal(self.k, self.n, self.h, b"")
        self.mix_hash(tag)
        self.n += 1
        return tag

    def decrypt_nothing(self, tag):
        aegis_open(self.k, self.n, self.h, tag)
        self.mix_hash(tag)
        self.n += 1

    def split(self):
        two = expand(extract(self.ck, b""), b"", 128)
        return two[:32], two[64:96]


class Direction:
    """One direction of records [2.4, 2.5]."""

    UNIT, MOST = 4480, 62720

    def __init__(self, key, from_relay):
        self.key, self.from_relay, self.counter = key, from_relay, 0

    def size_for(self, used):
        size = -(-(2 + 2 + used + 32) // self.UNIT) * self.UNIT
        if size > (self.MOST if self.from_relay else self.UNIT):
            raise ValueError("too many frames")
        return size

    def _step(self):
        if self.counter % 65536 == 65535:
            self.key = aegis_seal(self.key, 2**64 - 1, b"", bytes(32))[:32]
        self.counter += 1

    def seal(self, frames):
        size = self.size_for(len(frames))
        plain = le(len(frames), 2) + frames
        plain += bytes(size - 2 - 32 - len(plain))
        record = le(size - 2, 2) + aegis_seal(self.key, self.counter, b"", plain)
        self._step()
        return record

    def open(self, record):
        if len(record) < 2 or from_le(record[:2]) + 2 != len(record) or len(record) % self.UNIT:
            raise Refused("length")
        plain = aegis_open(self.key, self.counter, b"", record[2:])
        used = from_le(plain[:2])
        if used > len(plain) - 2 or any(plain[2 + used:]) or self.size_for(used) != len(record):
            raise Refused("padding")
        self._step()
        return plain[2:2 + used]


class Channel:
    """After the handshake: .send, .receive (Direction), .hash."""

    def __init__(self, symmetric, relay):
        to_relay, to_client = symmetric.split()
        self.hash = symmetric.h
        self.to_relay, self.to_client = to_relay, to_client
        self.send = Direction(to_client if relay else to_relay, relay)
        self.receive = Direction(to_relay if relay else to_client, not relay)


class ClientHandshake:
    def __init__(self, relay_pk, seed, eseed):
        self.s = _Symmetric(relay_pk)
        ct, ss = kem_enc(relay_pk, eseed)
        self.s.mix_hash(ct)
        self.s.mix_key(ss)
        pk, self.es = kem_pair(seed)
        self.s.mix_hash(pk)
        self.message_1 = ct + pk + self.s.encrypt_nothing()

    def finish(self, message_2):
        if len(message_2) != 1152:
            raise Refused("length")
        ct = message_2[:1120]
        ss = kem_dec(self.es, ct)
        self.s.mix_hash(ct)
        self.s.mix_key(ss)
        self.s.decrypt_nothing(message_2[1120:])
        return Channel(self.s, False)


def relay_answer(relay_pk, relay_sk, message_1, eseed):
    """(message 2, Channel)"""
    if len(message_1) != 2368:
        raise Refused("length")
    ct, pk, tag = message_1[:1120], message_1[1120:2336], message_1[2336:]
    s = _Symmetric(relay_pk)
    ss = kem_dec(relay_sk, ct)
    s.mix_hash(ct)
    s.mix_key(ss)
    s.mix_hash(pk)
    s.decrypt_nothing(tag)
    ct, ss = kem_enc(pk, eseed)
    s.mix_hash(ct)
    s.mix_key(ss)
    return ct + s.encrypt_nothing(), Channel(s, True)


def fingerprint(relay_pk, cohort):
    return B16(b"kith1 invite", H(relay_pk), cohort)  # [5.2]


# ---- MessagePack, shortest forms only [3] ----------------------------------------------------


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _pack_int(value)
    if isinstance(value, str):
        raw = value.encode()
        return _pack_length(len(raw), 0xa0, 31, {1: 0xd9, 2: 0xda, 4: 0xdb}) + raw
    if isinstance(value, bytes):
        return _pack_length(len(value), None, -1, {1: 0xc4, 2: 0xc5, 4: 0xc6}) + value
    if isinstance(value, (list, tuple)):
        head = _pack_length(len(value), 0x90, 15, {2: 0xdc, 4: 0xdd})
        return head + b"".join(pack(v) for v in value)
    if isinstance(value, dict):  # in the order of insertion
        head = _pack_length(len(value), 0x80, 15, {2: 0xde, 4: 0xdf})
        return head + b"".join(pack(k) + pack(v) for k, v in value.items())
    raise TypeError(type(value))


def _pack_length(n, fix, fix_most, wide):
    if n <= fix_most:
        return bytes([fix + n])
    for width, head in wide.items():
        if n < 1 << 8 * width:
            return bytes([head]) + n.to_bytes(width, "big")
    raise ValueError("too long")


def _pack_int(n):
    if -32 <= n < 128:
        return bytes([n & 0xff])
    for i, width in enumerate((1, 2, 4, 8)):
        if n >= 0 and n < 1 << 8 * width:
            return bytes([0xcc + i]) + n.to_bytes(width, "big")
        if n < 0 and n >= -(1 << 8 * width - 1):
            return bytes([0xd0 + i]) + n.to_bytes(width, "big", signed=True)
    raise ValueError("too large")


# ---- board [4] and names [5] -------------------------------------------------------------------


def head_0(cohort, bucket):
    return H(b"kith1 log", cohort, le(bucket, 4))


def head_next(head, seq, envelope):
    return H(head, le(seq, 8), envelope)


def descriptor_body(d):
    """d: the fields of [5.3] by their letters, r as list of (address, key hash)."""
    body = {"v": d["v"]}
    if d["v"] > 1:
        body["p"] = d["p"]
    body.update(n=d["n"], a=d["a"], m=d["m"], r=[{"a": a, "k": k} for a, k in d["r"]])
    body.update(b=d["b"], s=d["s"], d=d["d"], x=d["x"])
    return pack(body)


def descriptor_sign(body, sks):
    return pack([body, [sign(sk, b"kith1 descriptor" + body) for sk in sks]])


def base32(raw):
    return base64.b32encode(raw).decode().rstrip("=")


def unbase32(text):
    return base64.b32decode(text + "=" * (-len(text) % 8))


def invite_print(host, port, secret, finger):
    if port != 7443:
        host += ("*%d" if ":" in host else ":%d") % port
    return ("KITH:%s/" % host).upper() + base32(secret + finger)


def link_print(secret, bucket, first_seq, last_hour, cohort):
    assert first_seq % 256 == 1
    raw = secret + le(bucket, 2) + le((first_seq - 1) // 256, 4) + le(last_hour, 4) + cohort[:4]
    return "KITH-C:" + base32(raw + H(b"kith1 link check", raw)[:4])


def link_parse(text, cohort):
    raw = unbase32("".join(text.split()).upper().removeprefix("KITH-C:"))
    if len(raw) != 50 or H(b"kith1 link check", raw[:46])[:4] != raw[46:] or raw[42:46] != cohort[:4]:
        raise Refused("link")
    return {"secret": raw[:32], "bucket": from_le(raw[32:34]),
            "from": 256 * from_le(raw[34:38]) + 1, "last_hour": from_le(raw[38:42])}


# ---- envelopes [6] -----------------------------------------------------------------------------

PAYLOAD_MOST = 1622
OFFER, TAKE = 0, 1


def _padded(payload, room):
    if len(payload) > PAYLOAD_MOST:
        raise ValueError("payload too long")
    return le(len(payload), 2) + payload + bytes(room - 2 - len(payload))


def _unpadded(data):
    n = from_le(data[:2])
    if n > PAYLOAD_MOST or any(data[2 + n:]):
        raise Refused("padding")
    return data[2:2 + n]


def body_seal(key, ad, payload):
    return seal(key, ad, bytes(32) + _padded(payload, 1672 - 16 - 32))


def body_open(key, ad, sealed):
    plain = unseal(key, ad, sealed)
    if any(plain[:32]):
        raise Refused("commitment")
    return _unpadded(plain[32:])


def mail_seal(tag, salt, k_hdr, pk, ct, n, pn, k_body, th, payload):
    head = tag + salt
    header = seal(k_hdr, head, pk + ct + le(n, 4) + le(pn, 4))
    envelope = head + header + body_seal(k_body, th + head + header, payload)
    assert len(envelope) == 4064
    return envelope


def header_open(envelope, k_hdr):
    plain = unseal(k_hdr, envelope[:32], envelope[32:32 + 2360])
    return plain[:1216], plain[1216:2336], from_le(plain[2336:2340]), from_le(plain[2340:])


def mail_body_open(envelope, k_body, th):
    return body_open(k_body, th + envelope[:32 + 2360], envelope[32 + 2360:])


def link_keys(secret, kind, salt):
    """(tag, K_link)"""
    tail = bytes([kind]) + salt
    return B16(B(secret, b"kith1 link tag"), tail), B(B(secret, b"kith1 link key"), tail)


def offer_seal(secret, salt, pk, payload):
    tag, key = link_keys(secret, OFFER, salt)
    return tag + salt + seal(key, tag + salt, pk + _padded(payload, 4032 - 16 - 1216))


def _link_open(secret, kind, envelope):
    tag, key = link_keys(secret, kind, envelope[16:32])
    if tag != envelope[:16]:
        raise Refused("tag")
    return unseal(key, envelope[:32], envelope[32:])


def offer_open(secret, envelope):
    plain = _link_open(secret, OFFER, envelope)
    return plain[:1216], _unpadded(plain[1216:])


def take_seal(secret, salt, ct, pk, k_body, th_1, payload):
    tag, key = link_keys(secret, TAKE, salt)
    head = tag + salt
    plain = ct + pk + body_seal(k_body, th_1 + head, payload) + bytes(8)
    return head + seal(key, head, plain)


def take_open(secret, envelope):
    """(ct, pk, body)"""
    plain = _link_open(secret, TAKE, envelope)
    if any(plain[-8:]):
        raise Refused("padding")
    return plain[:1120], plain[1120:2336], plain[2336:-8]


# ---- sessions [8] ----------------------------------------------------------------------------


def link_start(cohort, secret, pk):
    """(th_0, RK_0) [8.1]"""
    th = H(b"kith1 link0", cohort, H(secret), pk)
    return th, expand(extract(th, secret), b"kith1 link", 32)


def turn_keys(number, th_before, rk_before, pk, ct, ss):
    """One step of [8.2]: th, rk, ck, hk_next, and in turn 1 hk (its own) and rs."""
    th = H(b"kith1 th", th_before, pk, ct)
    prk = extract(rk_before, ss)
    okm = expand(prk, b"kith1 turn" + th, 128 if number == 1 else 96)
    keys = {"th": th, "rk": okm[:32], "ck": okm[32:64], "hk_next": okm[64:96]}
    if number == 1:
        keys["hk"] = okm[96:128]
        keys["rs"] = expand(prk, b"kith1 reset", 32)
    return keys


def tag_of(hk, n):
    return B16(B(hk, b"kith1 tag"), le(n, 4))


def header_key(hk, n, salt):
    return B(B(hk, b"kith1 header"), le(n, 4), salt)


def message_key(ck):
    return B(ck, b"kith1 message")


def chain_next(ck):
    return B(ck, b"kith1 chain")


def body_key(mk, salt):
    return B(mk, b"kith1 body", salt)


def verify_bytes(th_2):
    """[8.8]: (16 bytes, the six numbers of words)"""
    out = argon2id(th_2, b"kith1 verify" + bytes(4), 64 << 20, 3, 16)
    return out, [from_le(out[2 * i:2 * i + 2]) % 1296 for i in range(6)]


class _Peers:
    """A turn of the peer's, as its reader keeps it."""

    def __init__(self, number, hk):
        self.number, self.hk = number, hk
        self.th = self.ck = self.pk = self.ct = None
        self.next = 0       # the n that ck is for
        self.skipped = {}   # n -> MK
        self.tags = {tag_of(hk, n): n for n in range(256)}

    def key(self, n, most=256):
        """MK_n, once; the keys before it are kept."""
        while self.ck and self.next <= n and self.next < most:
            self.skipped[self.next] = message_key(self.ck)
            self.ck = chain_next(self.ck)
            self.next += 1
        if n not in self.skipped:
            raise Refused("key gone")
        return self.skipped.pop(n)

    def close(self, sent):
        """The peer sent this many in it; nothing more will come."""
        while self.ck and self.next < sent:
            self.skipped[self.next] = message_key(self.ck)
            self.ck = chain_next(self.ck)
            self.next += 1
        self.ck = None


class Session:
    """One side of a conversation.  Randomness comes with each call."""

    def __init__(self, taker, cohort, secret, offer_pk):
        self.taker = taker
        self.th, self.rk = link_start(cohort, secret, offer_pk)
        self.turn = 0              # newest turn of either side
        self.hk_next = None        # of turn + 1
        self.mine = 0              # my newest turn
        self.sk = self.pk = self.ct = self.ck = self.hk = self.my_th = None
        self.sent = self.sent_before = 0
        self.peer_pk = offer_pk if taker else None
        self.peers = []            # newest first, at most 4
        self.awaited = None        # the peer's next turn: its tags are known
        self.rs = self.th_2 = None

    # -- both --

    def _enter(self, number, pk, ct, ss):
        keys = turn_keys(number, self.th, self.rk, pk, ct, ss)
        hk = keys["hk"] if number == 1 else self.hk_next
        self.turn, self.th, self.rk, self.hk_next = number, keys["th"], keys["rk"], keys["hk_next"]
        if number == 1:
            self.rs = keys["rs"]
        if number == 2:
            self.th_2 = keys["th"]
        return keys, hk

    def _my_next_turn(self):
        return self.turn + 1 if (self.turn + 1) % 2 == (1 if self.taker else 0) else 0

    # -- sending --

    def _begin(self, number, seed, eseed):
        ct, ss = kem_enc(self.peer_pk, eseed)
        keys, hk = self._enter(number, self.peer_pk, ct, ss)
        self.sent_before = self.sent if self.mine else 0
        self.mine, self.sent = number, 0
        self.pk, self.sk = kem_pair(seed)
        self.ct, self.ck, self.hk, self.my_th = ct, keys["ck"], hk, keys["th"]
        self.awaited = _Peers(number + 1, self.hk_next)

    def _next_message_key(self):
        if self.sent > 255:
            raise ValueError("the turn is full")
        n, mk = self.sent, message_key(self.ck)
        self.ck = chain_next(self.ck)
        self.sent += 1
        return n, mk

    def take(self, secret, seed, eseed, salt, payload):
        """The taker's first envelope, from the offer's pk."""
        self._begin(1, seed, eseed)
        _, mk = self._next_message_key()
        return take_seal(secret, salt, self.ct, self.pk, body_key(mk, salt), self.my_th, payload)

    def begins_turn(self):
        """Does the next seal() need seed and eseed?"""
        return bool(self._my_next_turn())

    def seal(self, payload, salt, seed=None, eseed=None):
        number = self._my_next_turn()
        if number:
            self._begin(number, seed, eseed)
        n, mk = self._next_message_key()
        return mail_seal(tag_of(self.hk, n), salt, header_key(self.hk, n, salt), self.pk, self.ct, n,
                         self.sent_before, body_key(mk, salt), self.my_th, payload)

    # -- getting --

    def open_take(self, secret, offer_sk, envelope):
        work = copy.deepcopy(self)
        ct, pk, body = take_open(secret, envelope)
        own_pk, _ = kem_pair(offer_sk)
        kem_enc(pk, bytes(64))  # a pk that fails is refused now, not when we answer [8.6]
        keys, hk = work._enter(1, own_pk, ct, kem_dec(offer_sk, ct))
        peer = _Peers(1, hk)
        peer.th, peer.ck, peer.pk, peer.ct = keys["th"], keys["ck"], pk, ct
        mk = peer.key(0)
        payload = body_open(body_key(mk, envelope[16:32]), keys["th"] + envelope[:32], body)
        work.peers, work.peer_pk = [peer], pk
        self.__dict__ = work.__dict__
        return payload

    def find(self, envelope):
        """Is it for this session?"""
        turns = self.peers + ([self.awaited] if self.awaited else [])
        return any(envelope[:16] in t.tags for t in turns)

    def open(self, envelope):
        """(turn, n, payload); a failure changes nothing [8.6]."""
        work = copy.deepcopy(self)
        result = work._open(envelope)
        self.__dict__ = work.__dict__
        return result

    def _open(self, envelope):
        tag, salt = envelope[:16], envelope[16:32]
        turn = next((t for t in [self.awaited] + self.peers if t and tag in t.tags), None)
        if not turn:
            raise Refused("no such tag")
        n = turn.tags[tag]
        pk, ct, claimed, pn = header_open(envelope, header_key(turn.hk, n, salt))
        if claimed != n or pn > 256:
            raise Refused("header")
        if turn is self.awaited:
            self._peer_begins(turn, pk, ct, pn)
        elif pk != turn.pk or ct != turn.ct:
            raise Refused("another pk or ct in one turn")
        payload = mail_body_open(envelope, body_key(turn.key(n), salt), turn.th)
        return turn.number, n, payload

    def _peer_begins(self, turn, pk, ct, pn):
        kem_enc(pk, bytes(64))  # as in open_take()
        keys, hk = self._enter(turn.number, self.pk, ct, kem_dec(self.sk, ct))
        assert hk == turn.hk
        turn.th, turn.ck, turn.pk, turn.ct = keys["th"], keys["ck"], pk, ct
        if self.peers:
            self.peers[0].close(pn)
        self.peers = ([turn] + self.peers)[:4]
        self.peer_pk, self.awaited = pk, None

# SPDX-License-Identifier: Apache-2.0
"""kithrelay: a relay in the tests' language, from proto/SPEC.md, that keeps everything in memory
and can be told to lie.

An honest one until something is set on it:
  key_shown      the key it answers preamble 0x01 with, instead of its own
  descriptors    the signed descriptors it shows, oldest first
  version_shown  what hello says is the newest
  show(bucket, log)  what it shows instead of its log: a list of envelopes
  heads(bucket, log) the heads it claims for what it shows, from head_0 on
"""
import secrets
import socket
import threading
import time

from kithwire import ENVELOPE, Gone, exactly, peer, read_record, write_record

DAY_S = 86400


class Cohort:
    """Keys, and the first descriptor [5]."""

    def __init__(self, address, name="Night Owls"):
        self.address, self.name = address, name
        self.pk, self.sk = peer.kem_pair(secrets.token_bytes(32))
        self.admin_pk, self.admin_sk = peer.sign_pair(secrets.token_bytes(32))
        body = self.body(1)
        self.first = peer.descriptor_sign(body, [self.admin_sk])
        self.id = peer.H(body)

    def body(self, version, **other):
        d = {"v": version, "n": self.name, "a": [self.admin_pk], "m": 1,
             "r": [(self.address, peer.H(self.pk))], "b": 1, "s": 200, "d": 14,
             "x": int(time.time()) // DAY_S + 365}
        d.update(other)
        return peer.descriptor_body(d)

    def invite(self, port):
        return peer.invite_print("127.0.0.1", port, secrets.token_bytes(16),
                                 peer.fingerprint(self.pk, self.id))


def chain(cohort, bucket, log):
    heads = [peer.head_0(cohort, bucket)]
    for seq, envelope in enumerate(log, 1):
        heads.append(peer.head_next(heads[-1], seq, envelope))
    return heads


class LyingRelay:
    def __init__(self, world):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.cohort = Cohort(f"127.0.0.1:{self.port}")
        self.lock = threading.Condition()
        self.logs = {0: [], 1: [], 2: []}
        self.connections = []
        self.be_honest()
        world.closers.append(self.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def be_honest(self):
        self.key_shown = self.cohort.pk
        self.descriptors = [self.cohort.first]
        self.version_shown = None
        self.show = lambda bucket, log: log
        self.heads = lambda bucket, log: chain(self.cohort.id, bucket, log)

    def invite(self):
        return self.cohort.invite(self.port)

    def save(self):
        with self.lock:
            return {b: list(log) for b, log in self.logs.items()}

    def load(self, logs):
        """Back to what it had then, honest, with nobody connected."""
        self.hang_up()
        with self.lock:
            self.logs = {b: list(log) for b, log in logs.items()}
            self.be_honest()

    def hang_up(self):
        with self.lock:
            gone, self.connections = self.connections, []
        for s in gone:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def append(self, bucket, envelope):
        with self.lock:
            self.logs[bucket].append(envelope)
            self.lock.notify_all()

    def close(self):
        self.server.close()
        self.hang_up()

    # ---- inside --------------------------------------------------------------------------

    def _accept(self):
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            with self.lock:
                self.connections.append(s)
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        try:
            s.settimeout(90)
            channel = self._open(s)
            if channel:
                _Talk(self, s, channel).run()
        except (Gone, OSError, peer.Refused):
            pass
        finally:
            s.close()

    def _open(self, s):
        first = exactly(s, 1)
        if first == b"\x01":
            exactly(s, 16)
            s.sendall(self.key_shown + self.cohort.id)
            first = exactly(s, 1)
        if first != b"\x00":
            return None
        answer, channel = peer.relay_answer(self.cohort.pk, self.cohort.sk, exactly(s, 2368),
                                            secrets.token_bytes(64))
        s.sendall(answer)
        return channel


class _Talk:
    """One connection after its handshake."""

    def __init__(self, relay, s, channel):
        self.relay, self.s, self.channel = relay, s, channel
        self.write = threading.Lock()
        self.reads = {}  # bucket -> [next seq, credit]
        self.over = False

    def run(self):
        threading.Thread(target=self._push, daemon=True).start()
        try:
            while True:
                for frame in read_record(self.s, self.channel.receive):
                    self._take(frame)
        finally:
            with self.relay.lock:
                self.over = True
                self.relay.lock.notify_all()

    def _say(self, *frames):
        with self.write:
            write_record(self.s, self.channel.send, *frames)

    def _take(self, frame):
        if frame[0] == 2:
            with self.relay.lock:
                if frame[2]["b"] in self.reads:
                    self.reads[frame[2]["b"]][1] += frame[2]["c"]
                self.relay.lock.notify_all()
            return
        _, asked, method, params = frame
        if method == "subscribe":  # its answer goes out before its first envelopes
            with self.relay.lock:
                answer, read = self._subscribe(params)
                self._say([1, asked, None, answer])
                self.reads[params["b"]] = read
                self.relay.lock.notify_all()
            return
        self._say([1, asked, None, getattr(self, "_" + method)(params)])

    # Methods [3.5].

    def _hello(self, _):
        newest = self.relay.version_shown or len(self.relay.descriptors)
        return {"v": 1, "t": int(time.time()), "d": newest}

    def _descriptors(self, params):
        return {"d": self.relay.descriptors[params["f"] - 1:params["f"] + 1]}

    def _enrol(self, _):
        return None

    def _prove(self, _):
        return None

    def _post(self, params):
        relay, bucket = self.relay, params["b"]
        assert len(params["e"]) == ENVELOPE
        with relay.lock:
            relay.logs[bucket].append(params["e"])
            heads = chain(relay.cohort.id, bucket, relay.logs[bucket])
            relay.lock.notify_all()
        return {"s": len(heads) - 1, "h": heads[-1]}

    def _unsubscribe(self, params):
        with self.relay.lock:
            self.reads.pop(params["b"], None)

    def _shown(self, bucket):
        log = self.relay.show(bucket, self.relay.logs[bucket])
        return log, self.relay.heads(bucket, log)

    def _subscribe(self, params):
        log, heads = self._shown(params["b"])
        first = params.get("f", len(log) + 1)
        first = min(first, len(log) + 1)
        return ({"f": first, "h": heads[first - 1], "n": len(log) + 1, "o": 1},
                [first, params["c"]])

    def _push(self):
        try:
            while True:
                with self.relay.lock:
                    frame = self._due()
                    while frame is None and not self.over:
                        self.relay.lock.wait(1)
                        frame = self._due()
                    if self.over:
                        return
                self._say(frame)
        except (Gone, OSError):
            pass

    def _due(self):
        for bucket, read in self.reads.items():
            log, heads = self._shown(bucket)
            n = min(15, read[1], len(log) + 1 - read[0])
            if n <= 0:
                continue
            first, last = read[0], read[0] + n - 1
            read[0], read[1] = last + 1, read[1] - n
            return [2, "envelopes", [bucket, first, heads[last], b"".join(log[first - 1:last])]]
        return None

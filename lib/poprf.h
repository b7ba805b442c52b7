/* SPDX-License-Identifier: Apache-2.0 */
/* poprf: oblivious pseudorandom functions, RFC 9497, suite ristretto255-SHA512, in its
 * three modes.  The client blinds inputs, the server evaluates them without seeing them
 * and proves that it used its one key, the client checks that and unblinds.  Tokens are
 * mode POPRF: both sides also agree on a public info.
 * Flow     client: poprf_blind -> wire -> poprf_finalize -> outputs
 *          server: poprf_key_make; wire -> poprf_evaluate -> wire; later, is
 *          poprf_prf(input) the output that somebody shows?
 * Owns     nothing: keys and blinds are the caller's, to be kept in secret_alloc()ed
 *          memory when they live long, and wiped.  Allocates nothing
 * Threads  any; a batch of 32 takes some milliseconds: off the loop */
#ifndef KITH_LIB_POPRF_H
#define KITH_LIB_POPRF_H

#include "lib/group.h"

enum {
    POPRF_BATCH_MAX = 128,         /* elements that one proof covers */
    POPRF_INPUT_BYTES_MAX = 65535, /* lengths are hashed as two bytes */
    POPRF_INFO_BYTES_MAX = 65535,
    POPRF_SEED_BYTES = 32,
    POPRF_PROOF_BYTES = 64, /* c, then s */
    POPRF_OUTPUT_BYTES = 64,
};

enum {
    /* A key, blind or nonce not in 1..order-1; an element that is not canonical or is the
     * identity; a tweaked key that is zero; a batch, input or info of a wrong length. */
    POPRF_E_REFUSED = 1,
    /* Well-formed, but not proved to be the work of this key for this info; or c or s is
     * not a scalar.  An honest server never causes it. */
    POPRF_E_FORGED,
};

/* The numbers are the RFC's (3.1). */
enum poprf_mode {
    POPRF_MODE_OPRF = 0,  /* no proof */
    POPRF_MODE_VOPRF = 1, /* proved */
    POPRF_MODE_POPRF = 2, /* proved, and bound to a public info */
};

/* Which function: what both sides know beforehand. */
struct poprf {
    enum poprf_mode mode;
    struct bytes info; /* POPRF only, may be empty; otherwise not looked at */
};

/* As it travels: c | s. */
struct poprf_proof {
    struct group_scalar c, s;
};
struct poprf_output {
    uint8_t b[POPRF_OUTPUT_BYTES];
};

/* ---- keys (3.2) ----------------------------------------------------------------- */

/* A fresh pair, good in every mode.  Returns 0 or -EIO (both zeroed). */
MUST_USE int poprf_keypair(struct group_scalar *sk, struct group_element *pk);
/* DeriveKeyPair (3.2.1), which differs by mode.  Returns 0 or POPRF_E_REFUSED: key_info
 * is longer than 65,535 bytes (both zeroed). */
MUST_USE int poprf_keypair_from(enum poprf_mode mode,
                                const uint8_t seed[POPRF_SEED_BYTES],
                                struct bytes key_info, struct group_scalar *sk,
                                struct group_element *pk);
/* The public key of sk.  Returns 0 or POPRF_E_REFUSED (pk zeroed). */
MUST_USE int poprf_public(const struct group_scalar *sk, struct group_element *pk);

/* A server's key for one function, made once for each info.  Secret. */
struct poprf_key {
    struct poprf poprf;         /* its info is borrowed for as long as this is used */
    struct group_scalar key;    /* sk; in mode POPRF sk + m, where m is the info's hash */
    struct group_scalar factor; /* what elements are multiplied by: key, or 1 / key */
    struct group_element shown; /* key G: pk, or the tweaked key */
};
/* Returns 0 or POPRF_E_REFUSED (key zeroed). */
MUST_USE int poprf_key_make(struct poprf_key *key, const struct poprf *p,
                            const struct group_scalar *sk);

/* Of all calls below: count is 1..POPRF_BATCH_MAX, arrays have count members, nothing
 * written may overlap with anything read, and after a failure all that would have been
 * written is zeroed (nothing is, if it was for the count). */

/* ---- client: Blind (3.3) -------------------------------------------------------- */

/* pk: the server's; NULL in mode OPRF, may be NULL in mode VOPRF.  blinds: to be kept
 * secret until poprf_finalize, then wiped.  Returns 0, POPRF_E_REFUSED or -EIO. */
MUST_USE int poprf_blind(const struct poprf *p, const struct group_element *pk,
                         const struct bytes *inputs, size_t count,
                         struct group_scalar *blinds, struct group_element *blinded);
/* The same with the blinds given: vectors, and a request made again after a crash. */
MUST_USE int poprf_blind_from(const struct poprf *p, const struct group_element *pk,
                              const struct bytes *inputs, size_t count,
                              const struct group_scalar *blinds,
                              struct group_element *blinded);

/* ---- server: BlindEvaluate (3.3, 2.2.1) ----------------------------------------- */

/* proof: NULL in mode OPRF.  Returns 0, POPRF_E_REFUSED or -EIO. */
MUST_USE int poprf_evaluate(const struct poprf_key *key,
                            const struct group_element *blinded, size_t count,
                            struct group_element *evaluated, struct poprf_proof *proof);
/* The same with the proof's nonce r given (NULL in mode OPRF): vectors only, since two
 * proofs with one nonce give the key away.  Returns 0 or POPRF_E_REFUSED. */
MUST_USE int poprf_evaluate_from(const struct poprf_key *key,
                                 const struct group_scalar *r,
                                 const struct group_element *blinded, size_t count,
                                 struct group_element *evaluated,
                                 struct poprf_proof *proof);

/* ---- client: VerifyProof, Finalize (2.2.2, 3.3) --------------------------------- */

/* Was evaluated made of blinded with the key of pk?  Modes VOPRF and POPRF (OPRF:
 * POPRF_E_REFUSED).  Returns 0, POPRF_E_FORGED or POPRF_E_REFUSED. */
MUST_USE int poprf_verify(const struct poprf *p, const struct group_element *pk,
                          const struct group_element *blinded,
                          const struct group_element *evaluated, size_t count,
                          const struct poprf_proof *proof);

/* What a client has in hand when the answer is there. */
struct poprf_batch {
    const struct group_element *pk; /* NULL in mode OPRF, as proof and blinded */
    const struct bytes *inputs;
    const struct group_scalar *blinds;
    const struct group_element *blinded;
    const struct group_element *evaluated;
    const struct poprf_proof *proof;
    size_t count;
};
/* Verify, then unblind.  Returns 0, POPRF_E_FORGED or POPRF_E_REFUSED. */
MUST_USE int poprf_finalize(const struct poprf *p, const struct poprf_batch *batch,
                            struct poprf_output *outputs);

/* ---- server: Evaluate (3.3) ----------------------------------------------------- */

/* The function itself, by who has the key.  Compare with secret_equal().  Returns 0 or
 * POPRF_E_REFUSED. */
MUST_USE int poprf_prf(const struct poprf_key *key, struct bytes input,
                       struct poprf_output *output);

#endif

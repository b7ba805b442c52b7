/* SPDX-License-Identifier: Apache-2.0 */
/* members: who may post and read, until anonymous tokens replace it (SPEC 3.6).  The one
 * place that knows what a membership proof is. Flow     handle_enrol, handle_prove,
 * control -> members -> commit -> store Owns     an index in memory: member key -> invite
 * number and state, rebuilt at start Threads  the loop's */
#ifndef KITH_DAEMON_MEMBERS_H
#define KITH_DAEMON_MEMBERS_H

#include "daemon/commit.h"
#include "proto/msg.h"

struct members;

/* Reads the invites.  0 or -errno. */
MUST_USE int members_open(struct store *s, struct commit *c, const struct clock *clock,
                          const uint8_t cohort[32], struct members **out);
void members_free(struct members *m); /* after commit_stop()'s stopped; NULL is fine */

/* code for the answer; CODE_OK: this connection may post and read as that member.  A bad
 * signature and an unknown key are both CODE_NOT_A_MEMBER; CODE_REVOKED is told only to
 * who signed with the revoked key; CODE_UNAVAILABLE without memory. */
enum code members_prove(const struct members *m, const struct msg_prove *msg,
                        const uint8_t h[64], uint32_t *number);
/* Still a member?  Asked again for each post and subscribe, so that a revocation bites at
 * once. */
enum code members_still(const struct members *m, uint32_t number);

/* done runs later on the loop, once durable.  Bad signatures are answered at once
 * (returns CODE_NOT_A_MEMBER), so is a full queue (CODE_UNAVAILABLE); CODE_OK means done
 * will run.  done gets CODE_INVITE_USED for an unknown, used, expired and revoked invite
 * alike. */
typedef void members_done(enum code code, uint64_t session, uint32_t request, void *arg);
enum code members_enrol(struct members *m, const struct msg_enrol *msg,
                        const uint8_t h[64], uint64_t session, uint32_t request,
                        members_done *done, void *arg);

/* For the control socket.  The secret is made here, given to done once, and not kept.  rc
 * as store_invite_add(); invite and secret are borrowed until done returns. */
typedef void members_invited(int rc, const uint8_t secret[INVITE_SECRET_BYTES],
                             const struct store_invite *invite, void *arg);
MUST_USE int members_invite(struct members *m, uint32_t hours, members_invited *done,
                            void *arg);
/* Bites at once; rc tells whether it will also last (0), or there is no such invite
 * (STORE_E_ABSENT), or it holds only until kithd ends (another code: say so). */
typedef void members_revoked(int rc, void *arg);
MUST_USE int members_revoke(struct members *m, uint32_t number, members_revoked *done,
                            void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/net/subs.h"

enum { REQUEST_ROOM = 256 }; /* the largest of the three frames takes 40 bytes */

struct subscription *subs_find(struct subs *s, uint32_t bucket)
{
    for (size_t i = 0; i < NODE_READS_MAX; i++)
        if (s->list[i].used && s->list[i].bucket == bucket)
            return &s->list[i];
    return NULL;
}

void subs_add(struct subs *s, struct peer *p, const struct node_read *r)
{
    uint8_t room[REQUEST_ROOM];
    struct buf b = BUF_OVER(room);
    struct msg_subscribe m = {.bucket = r->bucket,
                              .from_head = r->from_head,
                              .from = r->from,
                              .credit = SUBS_CREDIT_FIRST};
    size_t i = 0;

    while (i < NODE_READS_MAX && s->list[i].used)
        i++;
    if (i == NODE_READS_MAX)
        return; /* the node lists no more than there is room for */
    s->list[i] = (struct subscription){
        .used = true, .bucket = r->bucket, .request = peer_id(p)};
    msg_subscribe_write(&b, s->list[i].request, &m);
    (void)peer_send(p, &b);
}

void subs_drop(struct subscription *sub, struct peer *p)
{
    uint8_t room[REQUEST_ROOM];
    struct buf b = BUF_OVER(room);

    msg_unsubscribe_write(&b, peer_id(p), &(struct msg_unsubscribe){sub->bucket});
    sub->used = false;
    (void)peer_send(p, &b);
}

void subs_arrived(struct subscription *sub, struct peer *p, size_t count)
{
    uint8_t room[REQUEST_ROOM];
    struct buf b = BUF_OVER(room);

    sub->arrived += (uint32_t)count;
    if (sub->arrived < SUBS_CREDIT_STEP)
        return;
    sub->arrived -= SUBS_CREDIT_STEP;
    msg_credit_write(&b, &(struct msg_credit){sub->bucket, SUBS_CREDIT_STEP});
    (void)peer_send(p, &b);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/admit.h"

#include "lib/map.h"
#include "lib/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { KEY_NONE = 0, KEY_V4 = 4, KEY_V6 = 6 };

struct admit {
    struct map *addresses; /* ticket key -> struct place */
    size_t count;
};
struct place {
    uint32_t connected;
};

int admit_new(struct admit **out)
{
    struct admit *a = mem_zalloc(sizeof *a);

    if (a == NULL)
        return -ENOMEM;
    a->addresses = map_new(sizeof(struct admit_ticket));
    if (a->addresses == NULL) {
        mem_free(a);
        return -ENOMEM;
    }
    *out = a;
    return 0;
}

void admit_free(struct admit *a)
{
    if (a == NULL)
        return;
    map_free(a->addresses, mem_free);
    mem_free(a);
}

static struct admit_ticket ticket_v4(const uint8_t address[4])
{
    struct admit_ticket t = {{KEY_NONE}};

    if (address[0] == 127)
        return t;
    t.key[0] = KEY_V4;
    memcpy(t.key + 1, address, 4);
    return t;
}

/* A home or a campus has a /64 at least; a cap on single addresses would be none. */
static struct admit_ticket ticket_v6(const struct in6_addr *address)
{
    struct admit_ticket t = {{KEY_NONE}};

    if (IN6_IS_ADDR_V4MAPPED(address))
        return ticket_v4(address->s6_addr + 12);
    if (IN6_IS_ADDR_LOOPBACK(address))
        return t;
    t.key[0] = KEY_V6;
    memcpy(t.key + 1, address->s6_addr, 8);
    return t;
}

static struct admit_ticket ticket_of(const struct sockaddr *peer)
{
    struct admit_ticket none = {{KEY_NONE}};

    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;

        return ticket_v4((const uint8_t *)&in->sin_addr);
    }
    if (peer->sa_family == AF_INET6)
        return ticket_v6(&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr);
    return none;
}

static int take_place(struct admit *a, const struct admit_ticket *t, uint32_t most_each)
{
    struct place *p = map_get(a->addresses, t->key);

    if (p != NULL) {
        if (p->connected >= most_each)
            return ADMIT_E_ADDRESS;
        p->connected++;
        return 0;
    }
    p = mem_zalloc(sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    p->connected = 1;
    if (map_put(a->addresses, t->key, p, NULL)) {
        mem_free(p);
        return -ENOMEM;
    }
    return 0;
}

int admit_take(struct admit *a, const struct sockaddr *peer, uint32_t most,
               uint32_t most_each, struct admit_ticket *out)
{
    int rc;

    if (a->count >= most)
        return ADMIT_E_FULL;
    *out = ticket_of(peer);
    if (out->key[0] != KEY_NONE) {
        rc = take_place(a, out, most_each);
        if (rc)
            return rc;
    }
    a->count++;
    return 0;
}

void admit_give(struct admit *a, const struct admit_ticket *t)
{
    struct place *p;

    a->count--;
    if (t->key[0] == KEY_NONE)
        return;
    p = map_get(a->addresses, t->key);
    if (p != NULL && --p->connected == 0)
        mem_free(map_take(a->addresses, t->key));
}

size_t admit_count(const struct admit *a)
{
    return a->count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* list: a ring of members embedded in what they link; its head is a member without an
 * owner.
 * Flow     conns, fanout -> list.  Threads: one at a time. */
#ifndef KITH_DAEMON_LIST_H
#define KITH_DAEMON_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

/* The struct that a member is embedded in. */
#define LIST_OWNER(member, type, field) \
    ((type *)(void *)((char *)(member)-offsetof(type, field)))

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

/* True for a head with no members, and for a member that is in no ring. */
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_append(struct list *head, struct list *member)
{
    member->prev = head->prev;
    member->next = head;
    head->prev->next = member;
    head->prev = member;
}

/* Fine for a member that is in no ring. */
static inline void list_remove(struct list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    list_init(member);
}

/* All members of `from` go to the end of `to`. */
static inline void list_move_all(struct list *from, struct list *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#endif

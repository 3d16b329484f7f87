/* req_arena.h - memory of one request: handed out by moving a mark, given back all at once.
 * Layer: server/base. Thread rule: one owner at a time. */
#ifndef SRV_REQ_ARENA_H
#define SRV_REQ_ARENA_H

#include <stddef.h>

typedef struct srv_chunk srv_chunk;

typedef struct srv_arena {
    srv_chunk *first; /* kept from request to request */
    srv_chunk *last;
    size_t used; /* bytes of `last` */
    size_t held; /* bytes of all chunks */
    size_t most; /* bytes it may ever hold */
} srv_arena;

/** `bytes` aligned to 64, not zeroed; NULL when there is no memory or it would pass `most`. */
void *srv_arena_alloc(srv_arena *a, size_t bytes);

/** Gives back all but the first chunk; every pointer of it is dead. */
void srv_arena_reset(srv_arena *a);

void srv_arena_fini(srv_arena *a);

#endif /* SRV_REQ_ARENA_H */

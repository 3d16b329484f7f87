/* req_arena.c - request memory. Layer: server/base. Thread rule: one owner at a time. */
#include "server/base/req_arena.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#define CHUNK_BYTES 4096 /* what a small request needs: one chunk, kept by the connection */
#define ALIGN       64

struct srv_chunk {
    srv_chunk *next;
    size_t bytes;
    _Alignas(ALIGN) char data[];
};

static srv_chunk *add_chunk(srv_arena *a, size_t bytes)
{
    size_t whole;
    if (bytes < CHUNK_BYTES) bytes = CHUNK_BYTES;
    if (!nf_add_size(&whole, bytes, sizeof(srv_chunk)) || a->held > a->most ||
        whole > a->most - a->held)
        return NULL;
    srv_chunk *c = nf_alloc(whole, NF_MEM_REQUEST);
    if (!c) return NULL;
    c->bytes = bytes;
    if (a->last)
        a->last->next = c;
    else
        a->first = c;
    a->last = c;
    a->used = 0;
    a->held += whole;
    return c;
}

void *srv_arena_alloc(srv_arena *a, size_t bytes)
{
    size_t want;
    if (!nf_add_size(&want, bytes, ALIGN - 1)) return NULL;
    want -= want % ALIGN;
    if ((!a->last || want > a->last->bytes - a->used) && !add_chunk(a, want)) return NULL;
    void *p = a->last->data + a->used;
    a->used += want;
    return p;
}

static void free_from(srv_chunk *c)
{
    while (c) {
        srv_chunk *next = c->next;
        nf_free(c);
        c = next;
    }
}

void srv_arena_reset(srv_arena *a)
{
    a->used = 0;
    if (!a->first) return;
    if (a->first->bytes > CHUNK_BYTES) { /* a large first request must not stay for ever */
        srv_arena_fini(a);
        return;
    }
    free_from(a->first->next);
    a->first->next = NULL;
    a->last = a->first;
    a->held = a->first->bytes + sizeof(srv_chunk);
}

void srv_arena_fini(srv_arena *a)
{
    free_from(a->first);
    *a = (srv_arena){.most = a->most};
}

/* mem.h - the allocator: counts live bytes by tag, and can be told to fail. Layer: base.
 * Thread rule: any thread. */
#ifndef NF_MEM_H
#define NF_MEM_H

#include <stddef.h>
#include <stdint.h>

#define NF_MEM_TAGS(X)                                                                             \
    X(MISC, "misc")                                                                                \
    X(GRAPH, "graph")                                                                              \
    X(WEIGHTS, "weights")                                                                          \
    X(ARENA, "arena")                                                                              \
    X(REQUEST, "request")                                                                          \
    X(REGISTRY, "registry")                                                                        \
    X(CLIENT, "client")

typedef enum nf_mem_tag {
#define X(name, text) NF_MEM_##name,
    NF_MEM_TAGS(X)
#undef X
        NF_MEM_TAG_COUNT
} nf_mem_tag;

/** Zeroed bytes, aligned to 64. NULL when there are none, or when a test asked for a failure. */
void *nf_alloc(size_t bytes, nf_mem_tag tag);

/** Zeroed array; NULL also when count * size does not fit. */
void *nf_alloc_array(size_t count, size_t size, nf_mem_tag tag);

/** Grows or shrinks what nf_alloc gave; new bytes are zero. On NULL the old block stays. */
void *nf_realloc(void *p, size_t bytes, nf_mem_tag tag);

/** A copy of len bytes and a NUL behind them. */
char *nf_strdup(const char *s, size_t len, nf_mem_tag tag);

/** Frees what nf_alloc gave; accepts NULL. */
void nf_free(void *p);

/** Bytes handed out and not yet freed, for one tag. */
size_t nf_mem_live(nf_mem_tag tag);

/** Bytes handed out and not yet freed. */
size_t nf_mem_live_all(void);

/** Successful calls of nf_alloc and nf_realloc since the start. */
uint64_t nf_mem_calls(void);

const char *nf_mem_tag_name(nf_mem_tag tag);

/** Tests: the n-th allocation from now on returns NULL (1 = the next), once; 0 switches it off. */
void nf_mem_fail_nth(uint64_t n);

/** No allocation may bring the live bytes above `bytes`; 0 = no cap. */
void nf_mem_cap(size_t bytes);

#endif /* NF_MEM_H */

/* mem.c - aligned, counted, zeroed memory. Layer: base. Thread rule: any thread. */
#include "engine/base/mem.h"

#include "engine/base/bytes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64

typedef struct mem_head { /* stands in the ALIGN bytes before each block */
    size_t bytes;
    nf_mem_tag tag;
} mem_head;

static atomic_size_t live[NF_MEM_TAG_COUNT];
static atomic_size_t live_all, cap;
static atomic_uint_fast64_t calls, fail_in;

static const char *const tag_names[] = {
#define X(name, text) text,
    NF_MEM_TAGS(X)
#undef X
};

static mem_head *head_of(const void *p)
{
    return (mem_head *)((uintptr_t)p - ALIGN);
}

static int must_fail(void)
{
    uint_fast64_t n = atomic_load_explicit(&fail_in, memory_order_relaxed);
    if (n == 0) return 0;
    return atomic_fetch_sub(&fail_in, 1) == 1;
}

static void count(nf_mem_tag tag, size_t bytes)
{
    atomic_fetch_add_explicit(&live[tag], bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&live_all, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

void *nf_alloc(size_t bytes, nf_mem_tag tag)
{
    const size_t limit = atomic_load_explicit(&cap, memory_order_relaxed);
    size_t whole;
    if (!nf_add_size(&whole, bytes, 2 * ALIGN - 1) || must_fail()) return NULL;
    if (limit && bytes > limit - (nf_mem_live_all() < limit ? nf_mem_live_all() : limit))
        return NULL;
    whole -= whole % ALIGN;
    char *base = aligned_alloc(ALIGN, whole);
    if (!base) return NULL;
    memset(base, 0, whole);
    *(mem_head *)base = (mem_head){bytes, tag};
    count(tag, bytes);
    return base + ALIGN;
}

void *nf_alloc_array(size_t n, size_t size, nf_mem_tag tag)
{
    size_t bytes;
    return nf_mul_size(&bytes, n, size) ? nf_alloc(bytes, tag) : NULL;
}

void *nf_realloc(void *p, size_t bytes, nf_mem_tag tag)
{
    void *fresh = nf_alloc(bytes, tag);
    if (!fresh || !p) return fresh;
    const size_t old = head_of(p)->bytes;
    memcpy(fresh, p, old < bytes ? old : bytes);
    nf_free(p);
    return fresh;
}

char *nf_strdup(const char *s, size_t len, nf_mem_tag tag)
{
    size_t bytes;
    char *copy = nf_add_size(&bytes, len, 1) ? nf_alloc(bytes, tag) : NULL;
    if (copy && len) memcpy(copy, s, len);
    return copy;
}

void nf_free(void *p)
{
    if (!p) return;
    mem_head *h = head_of(p);
    atomic_fetch_sub_explicit(&live[h->tag], h->bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&live_all, h->bytes, memory_order_relaxed);
    free(h);
}

size_t nf_mem_live(nf_mem_tag tag)
{
    return atomic_load_explicit(&live[tag], memory_order_relaxed);
}

size_t nf_mem_live_all(void)
{
    return atomic_load_explicit(&live_all, memory_order_relaxed);
}

uint64_t nf_mem_calls(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}

const char *nf_mem_tag_name(nf_mem_tag tag)
{
    return tag_names[tag];
}

void nf_mem_fail_nth(uint64_t n)
{
    atomic_store(&fail_in, n);
}

void nf_mem_cap(size_t bytes)
{
    atomic_store(&cap, bytes);
}

/* heap.c - a list of blocks and of things to destroy. Layer: plan. Thread rule: one owner. */
#include "engine/plan/heap.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

typedef struct plan_heap_item {
    struct plan_heap_item *next, *before;
    void *what; /* NULL: the bytes behind this item */
    void (*destroy)(void *what);
    size_t bytes;
    char pad[24]; /* what follows is aligned to 64 */
} plan_heap_item;

_Static_assert(sizeof(plan_heap_item) == 64, "blocks behind items are aligned as items are");

static plan_heap_item *push(plan_heap *h, size_t bytes)
{
    size_t all;
    plan_heap_item *i = nf_add_size(&all, bytes, sizeof(*i)) ? nf_alloc(all, NF_MEM_ARENA) : NULL;
    if (!i) return NULL;
    i->next = h->items;
    if (h->items) h->items->before = i;
    h->items = i;
    i->bytes = bytes;
    h->bytes += bytes;
    return i;
}

void *plan_heap_alloc(plan_heap *h, size_t bytes)
{
    plan_heap_item *i = push(h, bytes);
    return i ? i + 1 : NULL;
}

int plan_heap_keep(plan_heap *h, void *what, void (*destroy)(void *what))
{
    plan_heap_item *i = push(h, 0);
    if (!i) {
        destroy(what);
        return 0;
    }
    i->what = what;
    i->destroy = destroy;
    return 1;
}

static void unlink_item(plan_heap *h, plan_heap_item *i)
{
    if (i->before)
        i->before->next = i->next;
    else
        h->items = i->next;
    if (i->next) i->next->before = i->before;
    h->bytes -= i->bytes;
    if (i->destroy) i->destroy(i->what);
    nf_free(i);
}

void plan_heap_drop(plan_heap *h, void *block)
{
    if (block) unlink_item(h, (plan_heap_item *)block - 1);
}

void plan_heap_fini(plan_heap *h)
{
    while (h->items)
        unlink_item(h, h->items);
}

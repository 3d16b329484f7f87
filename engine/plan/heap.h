/* heap.h - memory that is given back all at once. Layer: plan. Thread rule: one owner. */
#ifndef PLAN_HEAP_H
#define PLAN_HEAP_H

#include <stddef.h>

typedef struct plan_heap {
    struct plan_heap_item *items; /* newest first */
    size_t bytes;                 /* handed out and not given back */
} plan_heap;

/** Zeroed bytes, aligned to 64; NULL when there are none. */
void *plan_heap_alloc(plan_heap *h, size_t bytes);

/** Calls destroy(what) when the heap ends; false (and calls it now) when there is no memory. */
int plan_heap_keep(plan_heap *h, void *what, void (*destroy)(void *what));

/** Gives one block back early; NULL is accepted. */
void plan_heap_drop(plan_heap *h, void *block);

/** Gives everything back, newest first. */
void plan_heap_fini(plan_heap *h);

#endif /* PLAN_HEAP_H */

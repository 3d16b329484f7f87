/* arena.c - greedy by size, best fit. Layer: plan. Thread rule: no shared state.
 * Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020. */
#include "engine/plan/arena.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int by_first(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static int by_last(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    return x->last < y->last ? -1 : x->last > y->last;
}

static int by_size(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x < y ? -1 : x > y;
}

static size_t padded(size_t bytes)
{
    return (bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
}

static bool together(const plan_block *a, const plan_block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The tightest gap between those of the `placed` blocks (sorted by offset) that live together with
 * b, or the place behind them. */
static size_t best_gap(plan_block *const *placed, size_t n, const plan_block *b)
{
    const size_t bytes = padded(b->bytes);
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const size_t at = placed[i]->offset;
        if (!together(placed[i], b)) continue;
        if (at >= end && at - end >= bytes && at - end < best_size) {
            best = end;
            best_size = at - end;
        }
        const size_t behind = at + padded(placed[i]->bytes);
        end = behind > end ? behind : end;
    }
    return best == SIZE_MAX ? end : best;
}

/* Keeps `placed` sorted by offset. */
static void insert(plan_block **placed, size_t n, plan_block *b)
{
    for (; n > 0 && placed[n - 1]->offset > b->offset; n--)
        placed[n] = placed[n - 1];
    placed[n] = b;
}

/* Blocks are placed in the order of `order`; `placed` has room for all of them. */
static nf_status place(plan_block *const *order, plan_block **placed, size_t n, size_t *total,
                       nf_error *err)
{
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        plan_block *b = order[i];
        size_t end;
        b->offset = best_gap(placed, i, b);
        if (!nf_add_size(&end, b->offset, padded(b->bytes)))
            return nf_fail(err, NF_EBUDGET, "arena", "activations do not fit the address space");
        *total = end > *total ? end : *total;
        insert(placed, i, b);
    }
    return NF_OK;
}

/* The most that lives at once: blocks come in the order of their first step, and go in that of
 * their last. */
static size_t live_bound(plan_block **coming, plan_block **going, size_t n)
{
    size_t worst = 0, sum = 0, gone = 0;
    memcpy(going, coming, n * sizeof(*going));
    qsort(coming, n, sizeof(*coming), by_first);
    qsort(going, n, sizeof(*going), by_last);
    for (size_t i = 0; i < n; i++) {
        for (; going[gone]->last < coming[i]->first; gone++)
            sum -= padded(going[gone]->bytes);
        sum += padded(coming[i]->bytes);
        worst = sum > worst ? sum : worst;
    }
    return worst;
}

nf_status plan_arena(plan_block *blocks, size_t n, size_t *total, size_t *bound, nf_error *err)
{
    plan_block **order = nf_alloc_array(2 * n + 1, sizeof(*order), NF_MEM_GRAPH);
    size_t filled = 0;
    if (!order) return nf_fail(err, NF_ENOMEM, "arena", "no memory for %zu blocks", n);
    for (size_t i = 0; i < n; i++)
        if (blocks[i].bytes) order[filled++] = &blocks[i]; /* nothing needs no place */
    qsort(order, filled, sizeof(*order), by_size);
    const nf_status st = place(order, order + filled, filled, total, err);
    *bound = live_bound(order, order + filled, filled);
    nf_free(order);
    return st;
}

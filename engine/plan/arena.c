/* arena.c - greedy by size, best fit. Layer: plan. Thread rule: no shared state.
 * Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020. */
#include "engine/plan/arena.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <stdlib.h>

static int by_offset(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
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

/* The tightest gap between the blocks of `live` (sorted by offset), or the place behind them. */
static size_t best_gap(plan_block *const *live, size_t n, size_t bytes)
{
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const size_t at = live[i]->offset;
        if (at >= end && at - end >= bytes && at - end < best_size) {
            best = end;
            best_size = at - end;
        }
        const size_t behind = at + padded(live[i]->bytes);
        end = behind > end ? behind : end;
    }
    return best == SIZE_MAX ? end : best;
}

/* Blocks are placed in the order of `order`; `live` has room for all of them. */
static nf_status place(plan_block **order, plan_block **live, size_t n, size_t *total,
                       nf_error *err)
{
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        plan_block *b = order[i];
        size_t n_live = 0, end;
        for (size_t j = 0; j < i; j++)
            if (order[j]->first <= b->last && b->first <= order[j]->last && order[j]->bytes)
                live[n_live++] = order[j];
        qsort(live, n_live, sizeof(*live), by_offset);
        b->offset = best_gap(live, n_live, padded(b->bytes));
        if (!nf_add_size(&end, b->offset, padded(b->bytes)))
            return nf_fail(err, NF_EBUDGET, "arena", "activations do not fit the address space");
        *total = end > *total ? end : *total;
    }
    return NF_OK;
}

/* The most that lives at once; the worst step is one at which some block begins. */
static size_t live_bound(const plan_block *blocks, size_t n)
{
    size_t worst = 0;
    for (size_t i = 0; i < n; i++) {
        size_t sum = 0;
        for (size_t j = 0; j < n; j++)
            if (blocks[j].first <= blocks[i].first && blocks[i].first <= blocks[j].last)
                sum += padded(blocks[j].bytes);
        worst = sum > worst ? sum : worst;
    }
    return worst;
}

nf_status plan_arena(plan_block *blocks, size_t n, size_t *total, size_t *bound, nf_error *err)
{
    plan_block **order = nf_alloc_array(2 * n + 1, sizeof(*order), NF_MEM_GRAPH);
    if (!order) return nf_fail(err, NF_ENOMEM, "arena", "no memory for %zu blocks", n);
    for (size_t i = 0; i < n; i++)
        order[i] = &blocks[i];
    qsort(order, n, sizeof(*order), by_size);
    const nf_status st = place(order, order + n, n, total, err);
    *bound = live_bound(blocks, n);
    nf_free(order);
    return st;
}

/* arena.c - blocks placed best fit, in the best of several orders. Layer: plan. Thread rule: no
 * shared state. Source of the placing: Pisarchyk and Lee, "Efficient Memory Management for Deep
 * Neural Net Inference", 2020 (there: greedy by size). */
#include "engine/plan/arena.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CHANGES 20000u
#define MOST_BLOCKS  4000u      /* more of them are placed in one sweep over the steps */
#define MOST_SWEEP   100000000u /* comparisons of the sweep, some 0.1 s */
#define PATIENCE     60u /* changes without a gain before the search starts from the best again */

/* What is at work while one arena is planned. */
typedef struct planner {
    size_t n;
    size_t bound, best;  /* bytes */
    plan_block **order;  /* [n] the order that is tried */
    plan_block **placed; /* [n] by offset; rubbish between two tries */
    plan_block **kept;   /* [n] the order that the random changes start from */
    size_t *offset;      /* [n] of the best plan, in the order of `all` */
    plan_block **all;    /* [n] the blocks that need a place */
    uint64_t random;
} planner;

typedef int (*compare)(const void *a, const void *b);

static int by_place(const plan_block *x, const plan_block *y)
{
    return x < y ? -1 : x > y;
}

static int by_first(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return by_place(x, y);
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
    return by_place(x, y);
}

/* Size times lifetime; a double is exact enough to choose an order, and cannot wrap. */
static int by_area(const void *a, const void *b)
{
    const plan_block *x = *(plan_block *const *)a, *y = *(plan_block *const *)b;
    const double p = (double)x->bytes * ((double)x->last - x->first + 1);
    const double q = (double)y->bytes * ((double)y->last - y->first + 1);
    return p != q ? (p > q ? -1 : 1) : by_size(a, b);
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

/* Places all blocks in the order of p->order and returns the size of the arena. */
static size_t place(planner *p)
{
    size_t total = 0;
    for (size_t i = 0; i < p->n; i++) {
        plan_block *b = p->order[i];
        b->offset = best_gap(p->placed, i, b);
        const size_t end = b->offset + padded(b->bytes);
        total = end > total ? end : total;
        insert(p->placed, i, b);
    }
    return total;
}

static void keep_best(planner *p, size_t total)
{
    if (total >= p->best) return;
    p->best = total;
    memcpy(p->kept, p->order, p->n * sizeof(*p->kept));
    for (size_t i = 0; i < p->n; i++)
        p->offset[i] = p->all[i]->offset;
}

/* splitmix64; the seed is a constant, so the plan of a model is always the same. */
static size_t random_below(planner *p, size_t n)
{
    uint64_t z = (p->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (size_t)((z ^ (z >> 31)) % n);
}

/* Blocks at the top of the arena came too late to find a gap: one of them goes to an earlier turn,
 * and another block to a random one. */
static void change_order(planner *p, size_t total)
{
    size_t from = random_below(p, p->n), seen = 0;
    for (size_t i = 0; i < p->n; i++) {
        const plan_block *b = p->order[i];
        if (b->offset + padded(b->bytes) != total) continue;
        if (random_below(p, ++seen) == 0) from = i;
    }
    for (int turn = 0; turn < 2; turn++) {
        const size_t to = turn ? random_below(p, p->n) : random_below(p, from + 1);
        plan_block *moved = p->order[from];
        if (to < from)
            memmove(p->order + to + 1, p->order + to, (from - to) * sizeof(*p->order));
        else
            memmove(p->order + from, p->order + from + 1, (to - from) * sizeof(*p->order));
        p->order[to] = moved;
        from = random_below(p, p->n);
    }
}

/* Walks through orders by random changes, and now and then starts from the best one again. */
static void search(planner *p)
{
    size_t last = SIZE_MAX, idle = PATIENCE;
    const size_t cost = p->n * p->n + 1;
    const size_t most = PLAN_EFFORT / cost < MOST_CHANGES ? PLAN_EFFORT / cost : MOST_CHANGES;
    for (size_t i = 0; i < most && p->best > p->bound; i++, idle++) {
        if (idle >= PATIENCE) {
            memcpy(p->order, p->kept, p->n * sizeof(*p->order));
            last = place(p);
            idle = 0;
        }
        change_order(p, last);
        last = place(p);
        if (last < p->best) idle = 0;
        keep_best(p, last);
    }
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

/* No sum of sizes can wrap once all of them together do not. */
static bool fit_together(const plan_block *blocks, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        if (blocks[i].bytes > SIZE_MAX - PLAN_ALIGN ||
            !nf_add_size(&sum, sum, padded(blocks[i].bytes)))
            return false;
    return true;
}

/* One block behind the other, nothing shared. */
static size_t stack(const planner *p)
{
    size_t total = 0;
    for (size_t i = 0; i < p->n; i++) {
        p->order[i]->offset = total;
        total += padded(p->order[i]->bytes);
    }
    return total;
}

/* Very many blocks: by first use, looking at those alone that live now. A graph that keeps nearly
 * everything alive has little to share, and is stacked. */
static size_t sweep(planner *p)
{
    size_t total = 0, live = 0, looked = 0;
    for (size_t i = 0; i < p->n; i++) {
        plan_block *b = p->order[i];
        size_t left = 0;
        for (size_t k = 0; k < live; k++)
            if (p->placed[k]->last >= b->first) p->placed[left++] = p->placed[k];
        looked += live + left + 1;
        if (looked > MOST_SWEEP) return stack(p);
        live = left;
        b->offset = best_gap(p->placed, live, b);
        const size_t end = b->offset + padded(b->bytes);
        total = end > total ? end : total;
        insert(p->placed, live++, b);
    }
    return total;
}

static void try_orders(planner *p)
{
    static const compare orders[] = {by_size, by_area, by_first};
    memcpy(p->order, p->all, p->n * sizeof(*p->order));
    p->bound = live_bound(p->order, p->placed, p->n);
    p->best = SIZE_MAX;
    if (p->n > MOST_BLOCKS) keep_best(p, sweep(p)); /* live_bound left the order by first use */
    for (size_t i = 0; p->n <= MOST_BLOCKS && i < NF_COUNT(orders) && p->best > p->bound; i++) {
        qsort(p->order, p->n, sizeof(*p->order), orders[i]);
        keep_best(p, place(p));
    }
    if (p->n > 1) search(p);
    for (size_t i = 0; i < p->n; i++)
        p->all[i]->offset = p->offset[i];
}

nf_status plan_arena(plan_block *blocks, size_t n, size_t *total, size_t *bound, nf_error *err)
{
    planner p = {.random = 1};
    *total = *bound = 0;
    if (!fit_together(blocks, n))
        return nf_fail(err, NF_EBUDGET, "arena", "activations do not fit the address space");
    p.all = nf_alloc_array(4 * n + 1, sizeof(*p.all), NF_MEM_GRAPH);
    p.offset = nf_alloc_array(n + 1, sizeof(*p.offset), NF_MEM_GRAPH);
    if (!p.all || !p.offset) {
        nf_free(p.all);
        nf_free(p.offset);
        return nf_fail(err, NF_ENOMEM, "arena", "no memory for %zu blocks", n);
    }
    for (size_t i = 0; i < n; i++)
        if (blocks[i].bytes) p.all[p.n++] = &blocks[i]; /* nothing needs no place */
    p.order = p.all + n;
    p.placed = p.order + n;
    p.kept = p.placed + n;
    if (p.n) {
        try_orders(&p);
        *total = p.best;
        *bound = p.bound;
    }
    nf_free(p.all);
    nf_free(p.offset);
    return NF_OK;
}

nf_status plan_arena_apart(plan_block *blocks, size_t n_values, size_t n_scratch, plan_sizes *out,
                           nf_error *err)
{
    bool scratch = false;
    nf_status st = plan_arena(blocks, n_values, &out->values_total, &out->values_bound, err);
    if (st) return st;
    for (size_t i = 0; i < n_scratch; i++)
        scratch |= blocks[n_values + i].bytes > 0;
    out->total = out->values_total;
    out->bound = out->values_bound;
    if (!scratch) return NF_OK;
    return plan_arena(blocks, n_values + n_scratch, &out->total, &out->bound, err);
}

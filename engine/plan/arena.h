/* arena.h - where each activation lies in one block of memory. Layer: plan. */
#ifndef PLAN_ARENA_H
#define PLAN_ARENA_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct plan_block {
    size_t bytes;
    uint32_t first, last; /* steps between which it holds a value, inclusive */
    size_t offset;        /* filled in; a multiple of PLAN_ALIGN */
} plan_block;

/* A line of the cache: the widest load of a kernel never straddles two. The activations of the
 * usual nets are multiples of it, so it costs nothing there. */
#define PLAN_ALIGN 64

/**
 * Gives every block an offset so that no two that live at the same time overlap.
 *
 * Blocks are placed one after the other, each into the tightest gap; what differs is the order:
 * largest first, by first use, by size times lifetime, then a bounded number of random changes of
 * the best one. It ends as soon as *total is *bound. *total: the size of the arena; *bound: the sum
 * that lives at once at the worst step: no plan can need less. The same blocks always get the same
 * plan. Cost: O(n^2) for an order, at most PLAN_EFFORT comparisons for the changes; over 4,000
 * blocks take one sweep over the steps, O(n * blocks that live at once), bounded too. NF_ENOMEM,
 * NF_EBUDGET (over the address space).
 */
nf_status plan_arena(plan_block *blocks, size_t n, size_t *total, size_t *bound, nf_error *err);

#define PLAN_EFFORT 4000000u /* some 10 ms */

/* The two parts of an arena, told apart. */
typedef struct plan_sizes {
    size_t total, bound;               /* of the arena: values and scratch together */
    size_t values_total, values_bound; /* what the values alone would need */
} plan_sizes;

/**
 * The same for blocks[0 .. n_values - 1] that hold values and n_scratch blocks behind them that
 * kernels work in: the offsets are those of one arena for both, the sizes tell what scratch adds.
 */
nf_status plan_arena_apart(plan_block *blocks, size_t n_values, size_t n_scratch, plan_sizes *out,
                           nf_error *err);

#endif /* PLAN_ARENA_H */

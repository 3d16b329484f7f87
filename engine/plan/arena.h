/* arena.h - where each activation lies in one block of memory. Layer: plan. */
#ifndef PLAN_ARENA_H
#define PLAN_ARENA_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct plan_block {
    size_t bytes;
    uint32_t first, last; /* steps between which it holds a value, inclusive */
    size_t offset;        /* filled in; a multiple of 64 */
} plan_block;

#define PLAN_ALIGN 64

/**
 * Gives every block an offset so that no two that live at the same time overlap: largest first,
 * each into the tightest gap. *total is the size of the arena, *bound the sum that lives at once at
 * the worst step: no plan can need less. Cost: O(n^2). NF_ENOMEM.
 */
nf_status plan_arena(plan_block *blocks, size_t n, size_t *total, size_t *bound, nf_error *err);

#endif /* PLAN_ARENA_H */

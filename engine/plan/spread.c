/* spread.c - how the operands of an operator meet when they are broadcast. Layer: plan.
 * Thread rule: no shared state. */
#include "engine/plan/math.h"

#include <string.h>

void plan_spread_steps(size_t *step, const plan_shape *x, const plan_shape *y)
{
    size_t elems = 1;
    for (int i = y->rank - 1, j = x->rank - 1; i >= 0; i--, j--) {
        const size_t dim = j >= 0 ? x->dim[j] : 1;
        step[i] = dim == 1 ? 0 : elems;
        elems *= dim;
    }
}

/* True when a walk along axis `outer` of the spread goes on where one along `i` ends. */
static bool joins(const plan_spread *s, int outer, size_t step[PLAN_SIDES][ENG_MAX_RANK], int i,
                  size_t dim)
{
    for (int k = 0; k < PLAN_SIDES; k++)
        if (s->step[k][outer] != step[k][i] * dim) return false;
    return true;
}

static void add_axis(plan_spread *s, size_t step[PLAN_SIDES][ENG_MAX_RANK], int i, size_t dim)
{
    const bool join = s->rank > 0 && joins(s, s->rank - 1, step, i, dim);
    const int at = join ? s->rank - 1 : s->rank++;
    s->dim[at] = join ? s->dim[at] * dim : dim;
    for (int k = 0; k < PLAN_SIDES; k++)
        s->step[k][at] = step[k][i];
}

void plan_spread_of(plan_spread *s, const plan_shape *in, int n, const plan_shape *out)
{
    size_t step[PLAN_SIDES][ENG_MAX_RANK] = {{0}};
    memset(s, 0, sizeof(*s));
    for (int k = 0; k < n; k++)
        plan_spread_steps(step[k], &in[k], out);
    for (int i = 0; i < out->rank; i++)
        if (out->dim[i] != 1) add_axis(s, step, i, out->dim[i]);
    if (s->rank == 0) {
        s->rank = 1;
        s->dim[0] = 1;
    }
    const size_t last = s->dim[s->rank - 1];
    s->lines = last ? out->elems / last : 0;
}

void plan_spread_at(size_t at[PLAN_SIDES], const plan_spread *s, size_t k)
{
    memset(at, 0, PLAN_SIDES * sizeof(*at));
    for (int i = s->rank - 2; i >= 0; i--) {
        const size_t index = k % s->dim[i];
        k /= s->dim[i];
        for (int side = 0; side < PLAN_SIDES; side++)
            at[side] += index * s->step[side][i];
    }
}

size_t plan_spread_step(const plan_spread *s, int i)
{
    return s->step[i][s->rank - 1];
}

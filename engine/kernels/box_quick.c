/* box_quick.c - copies of boxes in blocks that stay in the cache. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_move.h"

#include <string.h>

#define BLOCK 16 /* rows and columns: two blocks of the largest elements fit a level-1 cache */

typedef struct pair { /* an element of 16 bytes */
    uint64_t a, b;
} pair;

/* y[i * sy + j] = x[i + j * sx]: reads run along i, writes along j. */
#define TURN(type)                                                                                 \
    static void turn_##type(void *to, ptrdiff_t sy, const void *from, ptrdiff_t sx, size_t ni,     \
                            size_t nj)                                                             \
    {                                                                                              \
        for (size_t jb = 0; jb < nj; jb += BLOCK)                                                  \
            for (size_t ib = 0; ib < ni; ib += BLOCK) {                                            \
                const size_t di = ni - ib < BLOCK ? ni - ib : BLOCK;                               \
                const size_t dj = nj - jb < BLOCK ? nj - jb : BLOCK;                               \
                type *y = (type *)to + (ptrdiff_t)ib * sy + jb;                                    \
                const type *x = (const type *)from + ib + (ptrdiff_t)jb * sx;                      \
                for (size_t i = 0; i < di; i++)                                                    \
                    for (size_t j = 0; j < dj; j++)                                                \
                        y[(ptrdiff_t)i * sy + j] = x[i + (ptrdiff_t)j * sx];                       \
            }                                                                                      \
    }

TURN(uint8_t)
TURN(uint16_t)
TURN(uint32_t)
TURN(uint64_t)
TURN(pair)

typedef void (*turn_fn)(void *y, ptrdiff_t sy, const void *x, ptrdiff_t sx, size_t ni, size_t nj);

static turn_fn turn_of(size_t size)
{
    static const turn_fn table[] = {[1] = turn_uint8_t,
                                    [2] = turn_uint16_t,
                                    [4] = turn_uint32_t,
                                    [8] = turn_uint64_t,
                                    [16] = turn_pair};
    return size < sizeof(table) / sizeof(table[0]) ? table[size] : NULL;
}

/* The loops before the last two, then a turned plane. */
static void planes(char *y, const char *x, size_t size, const krn_box *b, int axis)
{
    const ptrdiff_t sy = b->step_y[axis], sx = b->step_x[axis], s = (ptrdiff_t)size;
    if (axis == b->rank - 2) {
        turn_of(size)(y, sy, x, b->step_x[axis + 1], b->dim[axis], b->dim[axis + 1]);
        return;
    }
    for (ptrdiff_t i = 0; i < (ptrdiff_t)b->dim[axis]; i++)
        planes(y + i * sy * s, x + i * sx * s, size, b, axis + 1);
}

static void swap_axes(krn_box *b, int p, int q)
{
    const krn_box c = *b;
    b->dim[p] = c.dim[q];
    b->step_y[p] = c.step_y[q];
    b->step_x[p] = c.step_x[q];
    b->dim[q] = c.dim[p];
    b->step_y[q] = c.step_y[p];
    b->step_x[q] = c.step_x[p];
}

/* An axis along which x is read without gaps, beside the last, along which y is written so; -1: the
 * box is no transpose. */
static int reading_axis(const krn_box *b)
{
    if (b->rank < 2 || b->step_y[b->rank - 1] != 1 || b->step_x[b->rank - 1] == 1) return -1;
    for (int i = b->rank - 2; i >= 0; i--)
        if (b->step_x[i] == 1) return i;
    return -1;
}

void krn_box_copy(void *y, const void *x, size_t size, const krn_box *b)
{
    krn_box turned = *b;
    for (int i = 0; i < b->rank; i++)
        if (b->dim[i] == 0) return;
    krn_box_join(&turned);
    const int axis = reading_axis(&turned);
    if (axis < 0 || !turn_of(size)) {
        krn_box_ref(y, x, size, b);
        return;
    }
    swap_axes(&turned, axis, turned.rank - 2);
    planes(y, x, size, &turned, 0);
}

/* f32_product.h - products with packed weights, for any vector: included once by a file of each
 * instruction set, after its vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef F32_PRODUCT_H
#define F32_PRODUCT_H

#include "engine/kernels/krn_f32.h"

#include "engine/kernels/simd/simd.h"

/* One block: up to 12 rows by up to 4 units of VF_LANES outputs. */
typedef struct block {
    float *y;
    size_t ld, n;                /* outputs that are stored: the last unit may be partial */
    const float *row[VF_ROWS_1]; /* when they do not lie one step apart */
    const float *x;              /* the first row otherwise, else NULL */
    const krn_f32_rows *a;
    const float *w, *bias;
    float low, high;
} block;

/* Stores `count` vectors of a row, the last one in part where n ends within it. */
INLINE void store_row(float *y, const vf *v, const block *b, const int units)
{
    const vf low = vf_set(b->low), high = vf_set(b->high);
    const size_t last = b->n - (size_t)(units - 1) * VF_LANES;
    UNROLL
    for (int u = 0; u < units - 1; u++)
        vf_store(y + u * VF_LANES, vf_min(high, vf_max(low, v[u])));
    vf_store_part(y + (units - 1) * VF_LANES, vf_min(high, vf_max(low, v[units - 1])),
                  vf_first(last));
}

INLINE void store_full(float *y, const vf *v, const block *b, const int units)
{
    const vf low = vf_set(b->low), high = vf_set(b->high);
    UNROLL
    for (int u = 0; u < units; u++)
        vf_store(y + u * VF_LANES, vf_min(high, vf_max(low, v[u])));
}

INLINE void find_rows(const float **p, const block *b, const int rows)
{
    if (b->x) {
        p[0] = b->x;
        UNROLL
        for (int i = 1; i < rows; i++)
            p[i] = p[i - 1] + b->a->step;
    } else {
        UNROLL
        for (int i = 0; i < rows; i++)
            p[i] = b->row[i];
    }
}

INLINE void run_block(const block *b, const int rows, const int units)
{
    vf acc[VF_ROWS_1][VF_UNITS];
    const float *p[VF_ROWS_1], *w = b->w;
    find_rows(p, b, rows);
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int u = 0; u < units; u++)
            acc[i][u] = vf_load(b->bias + u * VF_LANES);
    }
    size_t at = 0;
    for (size_t r = 0; r < b->a->runs; r++, at += b->a->run_step - b->a->run)
        UNROLL_BY_4
    for (size_t end = at + b->a->run; at < end; at++, w += units * VF_LANES) {
        vf wide[VF_UNITS];
        UNROLL
        for (int u = 0; u < units; u++)
            wide[u] = vf_load(w + u * VF_LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const vf x = vf_set(p[i][at]);
            UNROLL
            for (int u = 0; u < units; u++)
                acc[i][u] = vf_fma(x, wide[u], acc[i][u]);
        }
    }
    float *y = b->y;
    if (b->n == (size_t)units * VF_LANES) UNROLL
    for (int i = 0; i < rows; i++, y += b->ld)
        store_full(y, acc[i], b, units);
    else UNROLL for (int i = 0; i < rows; i++, y += b->ld) store_row(y, acc[i], b, units);
}

/* One row: four partial sums a unit hide the latency of the products. */
INLINE void run_line(const block *b, const int units)
{
    enum { PHASES = 4, AHEAD = 16 };
    vf acc[PHASES][VF_UNITS];
    const float *w = b->w;
    UNROLL
    for (int u = 0; u < units; u++) {
        acc[0][u] = vf_load(b->bias + u * VF_LANES);
        UNROLL
        for (int i = 1; i < PHASES; i++)
            acc[i][u] = vf_set(0);
    }
    const float *x = b->x;
    for (size_t r = 0; r < b->a->runs; r++, x += b->a->run_step) {
        size_t k = 0;
        for (; k + PHASES <= b->a->run; k += PHASES)
            UNROLL
        for (int i = 0; i < PHASES; i++, w += units * VF_LANES) {
            const vf v = vf_set(x[k + (size_t)i]);
            UNROLL
            for (int u = 0; u < units; u++) {
                __builtin_prefetch(w + (AHEAD * units + u) * VF_LANES);
                acc[i][u] = vf_fma(v, vf_load(w + u * VF_LANES), acc[i][u]);
            }
        }
        for (; k < b->a->run; k++, w += units * VF_LANES)
            UNROLL
        for (int u = 0; u < units; u++)
            acc[0][u] = vf_fma(vf_set(x[k]), vf_load(w + u * VF_LANES), acc[0][u]);
    }
    UNROLL
    for (int u = 0; u < units; u++)
        acc[0][u] = vf_add(vf_add(acc[0][u], acc[1][u]), vf_add(acc[2][u], acc[3][u]));
    store_row(b->y, acc[0], b, units);
}

/* As run_block with one unit whose lanes are pairs of inputs: lane 2c + j holds output c's products
 * with inputs of parity j. */
INLINE void run_pairs(const block *b, const int rows)
{
    vf acc[VF_ROWS_1];
    const float *p[VF_ROWS_1], *w = b->w;
    find_rows(p, b, rows);
    UNROLL
    for (int i = 0; i < rows; i++)
        acc[i] = vf_set(0);
    size_t at = 0;
    for (size_t r = 0; r < b->a->runs; r++, at += b->a->run_step - b->a->run) {
        for (size_t end = at + b->a->run / 2 * 2; at < end; at += 2, w += VF_LANES) {
            const vf wide = vf_load(w);
            UNROLL
            for (int i = 0; i < rows; i++)
                acc[i] = vf_fma(vf_set_pair(p[i] + at), wide, acc[i]);
        }
        if (b->a->run % 2 == 0) continue;
        const vf wide = vf_load(w);
        UNROLL
        for (int i = 0; i < rows; i++)
            acc[i] = vf_fma(vf_set_even(p[i][at]), wide, acc[i]);
        at++;
        w += VF_LANES;
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        const vf sum = vf_add(vf_sum_pairs(acc[i]), vf_load(b->bias));
        store_row(b->y + i * b->ld, &sum, b, 1);
    }
}

typedef void (*block_fn)(const block *b);

#define BLOCK(rows, units)                                                                         \
    static void block_##rows##x##units(const block *b)                                             \
    {                                                                                              \
        run_block(b, rows, units);                                                                 \
    }
#define LINE(units)                                                                                \
    static void block_1x##units(const block *b)                                                    \
    {                                                                                              \
        run_line(b, units);                                                                        \
    }
#define PAIRS(rows)                                                                                \
    static void pairs_##rows(const block *b)                                                       \
    {                                                                                              \
        run_pairs(b, rows);                                                                        \
    }
#define UP_TO_4(X, ...) X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__)
#define UP_TO_6(X, ...) UP_TO_4(X, __VA_ARGS__) X(5, __VA_ARGS__) X(6, __VA_ARGS__)
#define UP_TO_8(X, ...) UP_TO_6(X, __VA_ARGS__) X(7, __VA_ARGS__) X(8, __VA_ARGS__)
#define FROM_9_TO_12(X, ...)                                                                       \
    X(9, __VA_ARGS__) X(10, __VA_ARGS__) X(11, __VA_ARGS__) X(12, __VA_ARGS__)

// clang-format off
LINE(1) LINE(2) UP_TO_8(BLOCK, 1) FROM_9_TO_12(BLOCK, 1) UP_TO_6(BLOCK, 2)
#if VF_UNITS > 2
BLOCK(7, 2) BLOCK(8, 2) FROM_9_TO_12(BLOCK, 2) LINE(3) UP_TO_8(BLOCK, 3) LINE(4) UP_TO_6(BLOCK, 4)
#endif
PAIRS(1) PAIRS(2) PAIRS(3) PAIRS(4) PAIRS(5) PAIRS(6)
PAIRS(7) PAIRS(8) PAIRS(9) PAIRS(10) PAIRS(11) PAIRS(12)

/* By units and rows; the last row of the table is the pairs. */
static const block_fn blocks[][VF_ROWS_1] = {
    {block_1x1, block_2x1, block_3x1, block_4x1, block_5x1, block_6x1, block_7x1, block_8x1,
     block_9x1, block_10x1, block_11x1, block_12x1},
#if VF_UNITS > 2
    {block_1x2, block_2x2, block_3x2, block_4x2, block_5x2, block_6x2, block_7x2, block_8x2,
     block_9x2, block_10x2, block_11x2, block_12x2},
    {block_1x3, block_2x3, block_3x3, block_4x3, block_5x3, block_6x3, block_7x3, block_8x3},
    {block_1x4, block_2x4, block_3x4, block_4x4, block_5x4, block_6x4},
#else
    {block_1x2, block_2x2, block_3x2, block_4x2, block_5x2, block_6x2},
#endif
    {pairs_1, pairs_2, pairs_3, pairs_4, pairs_5, pairs_6, pairs_7, pairs_8, pairs_9, pairs_10,
     pairs_11, pairs_12},
};
// clang-format on

static const size_t most_rows[] = {VF_ROWS_1, VF_ROWS_2,
#if VF_UNITS > 2
                                   VF_ROWS_3, VF_ROWS_4,
#endif
                                   VF_ROWS_1};

/* All rows by one panel, in blocks of nearly equal height. */
static void run_panel(block *b, size_t m, size_t kind)
{
    const krn_f32_rows *a = b->a;
    const float *line = a->x;
    const size_t n_blocks = (m + most_rows[kind] - 1) / most_rows[kind];
    size_t pixel = 0;
    for (size_t i = 0; i < n_blocks; i++) {
        const size_t rows = m / n_blocks + (i < m % n_blocks);
        if (pixel == a->line) {
            pixel = 0;
            line += a->line_step;
        }
        b->x = line + pixel * a->step;
        if (pixel + rows <= a->line)
            pixel += rows;
        else
            b->x = NULL;
        for (size_t r = 0; r < rows && !b->x; r++) {
            if (pixel == a->line) {
                pixel = 0;
                line += a->line_step;
            }
            b->row[r] = line + pixel++ * a->step;
        }
        blocks[kind][rows - 1](b);
        b->y += rows * b->ld;
    }
}

KRN_DECL_F32_PRODUCT(VF_NAME(krn_f32_product))
{
    block b = {.a = a, .low = w->low, .high = w->high, .ld = ld};
    const size_t units = (w->n + VF_LANES - 1) / VF_LANES;
    const size_t panels = (units + VF_UNITS - 1) / VF_UNITS;
    static const float zeros[VF_UNITS * VF_LANES];
    size_t at = 0;
    b.w = w->w;
    for (size_t i = 0; i < panels; i++) {
        const size_t wide = units / panels + (i < units % panels);
        b.y = y + at;
        b.bias = w->bias ? w->bias + at : zeros;
        b.n = w->n - at < wide * VF_LANES ? w->n - at : wide * VF_LANES;
        run_panel(&b, m, w->pairs ? VF_UNITS : wide - 1);
        b.w += wide * VF_LANES * w->k;
        at += wide * VF_LANES;
    }
}

#endif /* F32_PRODUCT_H */

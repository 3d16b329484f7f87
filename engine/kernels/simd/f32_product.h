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

/* What the stores of a block need, in registers: they might write over *b for all the compiler
 * knows.
 */
typedef struct ending {
    vf low, high;
    size_t ld;
    vf_mask lanes; /* of a partial last unit */
    bool full;
} ending;

INLINE ending ending_of(const block *b, const int units)
{
    const size_t last = b->n - (size_t)(units - 1) * VF_LANES;
    return (ending){vf_set(b->low), vf_set(b->high), b->ld, vf_first(last), last == VF_LANES};
}

INLINE void store_row(float *y, const vf *v, const ending *e, const int units, const bool full)
{
    UNROLL
    for (int u = 0; u < units; u++) {
        const vf out = vf_min(e->high, vf_max(e->low, v[u]));
        if (full || u < units - 1)
            vf_store(y + u * VF_LANES, out);
        else
            vf_store_part(y + u * VF_LANES, out, e->lanes);
    }
}

/* Where the rows of a block are: one pointer a row, or one for three rows that lie a step apart, as
 * more than FEW pointers do not fit into the registers. */
#define FEW 8

INLINE void find_rows(const float **p, const block *b, const int rows)
{
    if (rows > FEW) {
        p[0] = b->x;
        UNROLL
        for (int i = 1; i < (rows + 2) / 3; i++)
            p[i] = p[i - 1] + 3 * b->a->step;
    } else if (b->x) {
        p[0] = b->x;
        UNROLL
        for (int i = 1; i < FEW; i++)
            if (i < rows) p[i] = p[i - 1] + b->a->step;
    } else {
        UNROLL
        for (int i = 0; i < rows; i++)
            p[i] = b->row[i];
    }
}

/* Input `at` of row i. */
INLINE const float *input(const float *const *p, int i, size_t at, size_t step, const int rows)
{
    return rows > FEW ? p[i / 3] + (size_t)(i % 3) * step : p[i] + at;
}

/* To the next inputs. */
INLINE void advance(const float **p, ptrdiff_t n, const int rows)
{
    UNROLL
    for (int i = 0; i < VF_ROWS_1 / 3; i++)
        if (rows > FEW && 3 * i < rows) p[i] += n;
}

INLINE void run_block(const block *b, const int rows, const int units)
{
    vf acc[VF_ROWS_1][VF_UNITS];
    const float *p[VF_ROWS_1], *w = b->w;
    const size_t step = b->a->step, skip = b->a->run_step - b->a->run;
    find_rows(p, b, rows);
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int u = 0; u < units; u++)
            acc[i][u] = vf_load(b->bias + u * VF_LANES);
    }
    size_t at = 0;
    for (size_t r = 0; r < b->a->runs; r++, at += skip) {
        UNROLL_BY_4
        for (size_t end = at + b->a->run; at < end; at++, w += units * VF_LANES) {
            vf wide[VF_UNITS];
            UNROLL
            for (int u = 0; u < units; u++)
                wide[u] = vf_load(w + u * VF_LANES);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const vf x = vf_set(*input(p, i, at, step, rows));
                UNROLL
                for (int u = 0; u < units; u++)
                    acc[i][u] = vf_fma(x, wide[u], acc[i][u]);
            }
            advance(p, 1, rows);
        }
        advance(p, (ptrdiff_t)skip, rows);
    }
    const ending e = ending_of(b, units);
    float *y = b->y;
    if (e.full) {
        UNROLL
        for (int i = 0; i < rows; i++, y += e.ld)
            store_row(y, acc[i], &e, units, true);
    } else {
        UNROLL
        for (int i = 0; i < rows; i++, y += e.ld)
            store_row(y, acc[i], &e, units, false);
    }
}

/* Products of one input; fetches the weights of one that comes later. */
INLINE void add_input(vf *acc, float x, const float *w, const int units)
{
    enum { LINE_FLOATS = 16 }; /* of the cache */
    const vf v = vf_set(x);
    UNROLL
    for (int u = 0; u < units; u++) {
        if (VF_AHEAD && u * VF_LANES % LINE_FLOATS == 0)
            __builtin_prefetch(w + (VF_AHEAD * units + u) * VF_LANES);
        acc[u] = vf_fma(v, vf_load(w + u * VF_LANES), acc[u]);
    }
}

/* One row: four partial sums a unit hide the latency of the products. */
INLINE void run_line(const block *b, const int units)
{
    enum { PHASES = 4 };
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
    const size_t phased = b->a->runs * b->a->run < KRN_F32_FEW ? 0 : b->a->run;
    for (size_t r = 0; r < b->a->runs; r++, x += b->a->run_step) {
        size_t k = 0;
        for (; k + PHASES <= phased; k += PHASES) {
            UNROLL
            for (int i = 0; i < PHASES; i++, w += units * VF_LANES)
                add_input(acc[i], x[k + (size_t)i], w, units);
        }
        for (; k < b->a->run; k++, w += units * VF_LANES)
            add_input(acc[0], x[k], w, units);
    }
    UNROLL
    for (int u = 0; u < units; u++)
        acc[0][u] = vf_add(vf_add(acc[0][u], acc[1][u]), vf_add(acc[2][u], acc[3][u]));
    const ending e = ending_of(b, units);
    store_row(b->y, acc[0], &e, units, false);
}

/* Two rows make one vector; it is stored at once where they are neighbours. */
INLINE void store_pairs(const block *b, vf *acc, const int rows)
{
    const vf bias = vf_load_twice(b->bias);
    const ending e = ending_of(b, 1);
    const bool dense = b->n == VF_LANES / 2 && b->ld == b->n;
    float *y = b->y;
    UNROLL
    for (int i = 0; i < rows; i += 2, y += 2 * e.ld) {
        const vf sum = vf_sum_pairs(acc[i], i + 1 < rows ? acc[i + 1] : acc[i]);
        const vf out = vf_min(e.high, vf_max(e.low, vf_add(sum, bias)));
        if (dense && i + 1 < rows) {
            vf_store(y, out);
            continue;
        }
        vf_store_part(y, out, e.lanes);
        if (i + 1 < rows) vf_store_part(y + e.ld, vf_swap(out), e.lanes);
    }
}

/* As run_block with one unit whose lanes are pairs of inputs: lane 2c + j holds output c's products
 * with inputs of parity j. */
INLINE void run_pairs(const block *b, const int rows)
{
    vf acc[VF_ROWS_1];
    const float *p[VF_ROWS_1], *w = b->w;
    const size_t step = b->a->step, skip = b->a->run_step - b->a->run, odd = b->a->run % 2;
    find_rows(p, b, rows);
    UNROLL
    for (int i = 0; i < rows; i++)
        acc[i] = vf_set(0);
    size_t at = 0;
    for (size_t r = 0; r < b->a->runs; r++, at += skip) {
        UNROLL_BY_4
        for (size_t end = at + b->a->run - odd; at < end; at += 2, w += VF_LANES) {
            const vf wide = vf_load(w);
            UNROLL
            for (int i = 0; i < rows; i++)
                acc[i] = vf_fma(vf_set_pair(input(p, i, at, step, rows)), wide, acc[i]);
            advance(p, 2, rows);
        }
        if (odd) {
            const vf wide = vf_load(w);
            UNROLL
            for (int i = 0; i < rows; i++)
                acc[i] = vf_fma(vf_set_even(*input(p, i, at, step, rows)), wide, acc[i]);
            at++;
            w += VF_LANES;
        }
        advance(p, (ptrdiff_t)(skip + odd), rows);
    }
    store_pairs(b, acc, rows);
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
static const block_fn block_fns[][VF_ROWS_1] = {
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

/* m rows in blocks of nearly equal height: the first `taller` ones have a row more. */
typedef struct cut {
    uint32_t blocks, rows, taller;
} cut;

static cut cut_rows(size_t m, size_t most)
{
    const uint32_t n = (uint32_t)m; /* divides faster */
    if (n <= most) return (cut){1, n, 0};
    const uint32_t blocks = (n + (uint32_t)most - 1) / (uint32_t)most;
    return (cut){blocks, n / blocks, n % blocks};
}

static void run_line_blocks(block *b, const float *line, cut c, size_t kind)
{
    b->x = line;
    for (uint32_t i = 0; i < c.blocks; i++) {
        const size_t rows = c.rows + (i < c.taller);
        block_fns[kind][rows - 1](b);
        b->y += rows * b->ld;
        b->x += rows * b->a->step;
    }
}

/* Rows of several short lines in one block. */
static void run_short_lines(block *b, size_t m, size_t kind)
{
    const krn_f32_rows *a = b->a;
    const float *line = a->x;
    const cut c = cut_rows(m, most_rows[kind] < FEW ? most_rows[kind] : FEW);
    size_t pixel = 0;
    for (uint32_t i = 0; i < c.blocks; i++) {
        const size_t rows = c.rows + (i < c.taller);
        for (size_t r = 0; r < rows; r++, pixel++) {
            if (pixel == a->line) {
                pixel = 0;
                line += a->line_step;
            }
            b->row[r] = line + pixel * a->step;
        }
        b->x = rows == 1 ? b->row[0] : NULL;
        block_fns[kind][rows - 1](b);
        b->y += rows * b->ld;
    }
}

/* All rows by one panel. */
static void run_panel(block *b, size_t m, size_t kind)
{
    const krn_f32_rows *a = b->a;
    float *const y = b->y;
    const size_t most = most_rows[kind];
    const bool uneven = a->line < 2 * most && a->line % most != 0;
    if (m > a->line && uneven && a->out_step == a->line * b->ld) {
        run_short_lines(b, m, kind);
        return;
    }
    const cut c = cut_rows(a->line, most);
    const float *x = a->x;
    for (size_t at = 0, i = 0; at < m; at += a->line, i++, x += a->line_step) {
        b->y = y + i * a->out_step;
        run_line_blocks(b, x, c, kind);
    }
}

KRN_DECL_F32_PRODUCT(VF_NAME(krn_f32_product))
{
    static const float zeros[VF_UNITS * VF_LANES];
    const size_t units = (w->n + VF_LANES - 1) / VF_LANES;
    const cut c = cut_rows(units, VF_UNITS); /* into panels */
    block b = {.a = a, .low = w->low, .high = w->high, .ld = ld, .w = w->w};
    size_t at = 0;
    for (uint32_t i = 0; i < c.blocks; i++) {
        const size_t wide = c.rows + (i < c.taller);
        b.y = y + at;
        b.bias = w->bias ? w->bias + at : zeros;
        b.n = w->n - at < wide * VF_LANES ? w->n - at : wide * VF_LANES;
        run_panel(&b, m, w->pairs ? VF_UNITS : wide - 1);
        b.w += wide * VF_LANES * w->k;
        at += wide * VF_LANES;
    }
}

#endif /* F32_PRODUCT_H */

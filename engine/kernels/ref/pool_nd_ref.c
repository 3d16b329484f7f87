/* pool_nd_ref.c - pools over up to three axes in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_space.h"
#include "engine/kernels/simd/simd.h"

#include <math.h>

#define FOLDED 16 /* channels at once */

/* Number of pixel `at` (channels aside) in the order that the indices of a pool count in. */
static int64_t number_of(const krn_space *s, size_t at, bool columns)
{
    if (!columns) return (int64_t)at;
    const size_t x = at % s->in[2], y = at / s->in[2] % s->in[1], z = at / s->in[2] / s->in[1];
    return (int64_t)((x * s->in[1] + y) * s->in[0] + z);
}

static void max_index(float *y, int64_t *index, const float *x, const krn_space *s,
                      const krn_pool *p, size_t pixel)
{
    const size_t taps = krn_space_taps(s), image = krn_space_in(s);
    for (size_t c = 0; c < p->c; c++) {
        y[c] = -INFINITY;
        index[c] = 0; /* of a window without a number in it */
    }
    for (size_t t = 0; t < taps; t++) {
        const ptrdiff_t at = krn_space_tap(s, pixel, t);
        for (size_t c = 0; at >= 0 && c < p->c; c++) {
            const float v = x[(size_t)at * p->c + c];
            if (!(v > y[c])) continue;
            y[c] = v;
            index[c] = p->first + (int64_t)(c * image) + number_of(s, (size_t)at, p->columns);
        }
    }
}

/* Largest values, or sums, of n channels, a constant where it is used: they stay in registers. */
INLINE void fold(float *y, const float *x, const krn_space *s, const krn_taps *t, size_t c,
                 const size_t n, const bool most)
{
    const size_t step = s->dilation[2] * c;
    float acc[FOLDED];
    for (size_t k = 0; k < n; k++)
        acc[k] = most ? -INFINITY : 0;
    for (size_t z = 0; t->n[2] && z < t->n[0]; z++)
        for (size_t v = 0; v < t->n[1]; v++) {
            const float *row = x + krn_taps_at(t, s, z, v) * c;
            for (size_t i = 0; i < t->n[2]; i++, row += step)
                for (size_t k = 0; k < n; k++)
                    acc[k] = !most ? acc[k] + row[k] : row[k] > acc[k] ? row[k] : acc[k];
        }
    for (size_t k = 0; k < n; k++)
        y[k] = acc[k];
}

INLINE void fold_pixel(float *y, const float *x, const krn_space *s, const krn_taps *t, size_t c,
                       const bool most)
{
    size_t k = 0;
    for (; k + FOLDED <= c; k += FOLDED)
        fold(y + k, x + k, s, t, c, FOLDED, most);
    for (; k + 4 <= c; k += 4)
        fold(y + k, x + k, s, t, c, 4, most);
    if (c - k == 3) fold(y + k, x + k, s, t, c, 3, most);
    if (c - k == 2) fold(y + k, x + k, s, t, c, 2, most);
    if (c - k == 1) fold(y + k, x + k, s, t, c, 1, most);
}

void krn_f32_max_pool_nd_ref(float *y, int64_t *index, const float *x, const krn_space *s,
                             const krn_pool *p)
{
    const size_t pixels = krn_space_out(s);
    for (size_t i = 0; i < pixels; i++) {
        krn_taps t;
        if (index) {
            max_index(y + i * p->c, index + i * p->c, x, s, p, i);
            continue;
        }
        krn_space_window(&t, s, i);
        fold_pixel(y + i * p->c, x, s, &t, p->c, true);
    }
}

/* Taps of the window at pixel p that lie in the image or its padding. */
static size_t padded_taps(const krn_space *s, size_t p)
{
    const size_t at[] = {p / s->out[2] / s->out[1], p / s->out[2] % s->out[1], p % s->out[2]};
    size_t n = 1;
    for (int i = 0; i < KRN_SPACE; i++) {
        const ptrdiff_t size = (ptrdiff_t)s->in[i] + s->before[i] + s->after[i];
        size_t taps = 0;
        for (size_t t = 0; t < s->kernel[i]; t++)
            taps += (ptrdiff_t)(at[i] * s->stride[i] + t * s->dilation[i]) < size;
        n *= taps;
    }
    return n;
}

void krn_f32_mean_pool_nd_ref(float *y, const float *x, const krn_space *s, const krn_pool *p)
{
    const size_t pixels = krn_space_out(s);
    for (size_t i = 0; i < pixels; i++, y += p->c) {
        krn_taps t;
        krn_space_window(&t, s, i);
        fold_pixel(y, x, s, &t, p->c, false);
        const size_t n = p->count_pad ? padded_taps(s, i) : t.n[0] * t.n[1] * t.n[2];
        for (size_t c = 0; n && c < p->c; c++)
            y[c] /= (float)n;
    }
}

void krn_f32_lp_pool_nd_ref(float *y, const float *x, const krn_space *s, const krn_pool *p)
{
    const size_t pixels = krn_space_out(s), taps = krn_space_taps(s);
    const float power = (float)p->p;
    for (size_t i = 0; i < pixels; i++, y += p->c) {
        for (size_t c = 0; c < p->c; c++)
            y[c] = 0;
        for (size_t t = 0; t < taps; t++) {
            const ptrdiff_t at = krn_space_tap(s, i, t);
            for (size_t c = 0; at >= 0 && c < p->c; c++)
                y[c] += powf(fabsf(x[(size_t)at * p->c + c]), power);
        }
        for (size_t c = 0; c < p->c; c++)
            y[c] = powf(y[c], 1 / power);
    }
}

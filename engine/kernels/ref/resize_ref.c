/* resize_ref.c - one axis of an image to another size, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_resize.h"

#include <string.h>

static void add_line(float *y, const float *x, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += weight * x[i];
}

void krn_f32_resize_ref(float *y, const float *x, size_t outer, size_t inner, const krn_taps *t)
{
    for (size_t b = 0; b < outer; b++, x += t->in * inner)
        for (size_t o = 0; o < t->out; o++, y += inner) {
            memset(y, 0, inner * sizeof(*y));
            for (size_t k = o * t->taps; k < (o + 1) * t->taps; k++)
                add_line(y, x + (size_t)t->index[k] * inner, t->weight[k], inner);
        }
}

void krn_move_resize_ref(void *y, const void *x, size_t size, size_t outer, size_t inner,
                         const krn_taps *t)
{
    const size_t line = inner * size;
    char *to = y;
    for (size_t b = 0; b < outer; b++)
        for (size_t o = 0; o < t->out; o++, to += line)
            memcpy(to, (const char *)x + (b * t->in + (size_t)t->index[o]) * line, line);
}

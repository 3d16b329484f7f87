/* quant_pool_ref.c - pooling of quantized values in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_quant_product.h"

typedef struct bounds { /* of a window's part inside the image */
    size_t h0, h1, v0, v1;
} bounds;

static void clip(size_t *from, size_t *to, ptrdiff_t at, size_t kernel, size_t size)
{
    const ptrdiff_t end = at + (ptrdiff_t)kernel;
    *from = at < 0 ? 0 : (size_t)at;
    *to = end < 0 ? 0 : (size_t)end > size ? size : (size_t)end;
}

static int32_t pool(const void *x, krn_type type, const krn_window *w, const bounds *b, size_t c,
                    bool mean)
{
    const int64_t n = (int64_t)((b->h1 - b->h0) * (b->v1 - b->v0));
    int64_t sum = 0, most = INT32_MIN;
    for (size_t h = b->h0; h < b->h1; h++)
        for (size_t v = b->v0; v < b->v1; v++) {
            const int32_t value = krn_q_get(x, type, (h * w->in_w + v) * w->in_c + c);
            sum += value;
            most = value > most ? value : most;
        }
    if (n < 1) return 0;
    if (!mean) return (int32_t)most;
    return (int32_t)(sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n);
}

/* The largest values of a window in INT16, channels side by side. */
static void most16(int16_t *y, const int16_t *x, const krn_window *w, const bounds *b,
                   const int32_t limits[2])
{
    for (size_t c = 0; c < w->in_c; c++)
        y[c] = INT16_MIN;
    for (size_t h = b->h0; h < b->h1; h++)
        for (size_t v = b->v0; v < b->v1; v++) {
            const int16_t *from = x + (h * w->in_w + v) * w->in_c;
            for (size_t c = 0; c < w->in_c; c++)
                y[c] = from[c] > y[c] ? from[c] : y[c];
        }
    for (size_t c = 0; c < w->in_c; c++)
        y[c] = (int16_t)(y[c] < limits[0] ? limits[0] : y[c] > limits[1] ? limits[1] : y[c]);
}

void krn_q_pool_ref(void *y, const void *x, krn_type type, const krn_window *w, bool mean,
                    const int32_t limits[2])
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++) {
        bounds b;
        clip(&b.h0, &b.h1, (ptrdiff_t)(p / w->out_w * w->stride_h) - w->top, w->kernel_h, w->in_h);
        clip(&b.v0, &b.v1, (ptrdiff_t)(p % w->out_w * w->stride_w) - w->left, w->kernel_w, w->in_w);
        if (type == KRN_I16 && !mean && b.h1 > b.h0 && b.v1 > b.v0) {
            most16((int16_t *)y + p * w->in_c, x, w, &b, limits);
            continue;
        }
        for (size_t c = 0; c < w->in_c; c++) {
            const int32_t v = pool(x, type, w, &b, c, mean);
            krn_q_put(y, type, p * w->in_c + c,
                      v < limits[0]   ? limits[0]
                      : v > limits[1] ? limits[1]
                                      : v);
        }
    }
}

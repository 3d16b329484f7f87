/* window_box.h - the part of a window that lies in the image. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_WINDOW_BOX_H
#define KRN_WINDOW_BOX_H

#include "engine/kernels/krn_window.h"

/* The taps of a window that lie in the image: a pool may be far larger than what it looks at. */
typedef struct krn_box {
    size_t top, left; /* the first pixel */
    size_t rows, columns;
} krn_box;

/* Where the taps of one axis begin and how many there are, for a window whose first tap is `start`.
 */
static inline size_t krn_box_axis(size_t *count, ptrdiff_t start, size_t kernel, size_t dilation,
                                  size_t size)
{
    const ptrdiff_t d = (ptrdiff_t)dilation, left = (ptrdiff_t)size - start;
    size_t skipped = start < 0 ? (size_t)-start : 0, inside = left > 0 ? (size_t)left : 0;
    if (d > 1) { /* divisions take longer than a small window */
        skipped = (skipped + dilation - 1) / dilation;
        inside = (inside + dilation - 1) / dilation;
    }
    const size_t end = inside < kernel ? inside : kernel;
    *count = end > skipped ? end - skipped : 0;
    return (size_t)(start + (ptrdiff_t)skipped * d);
}

static inline krn_box krn_box_of(const krn_window *w, size_t p)
{
    krn_box b;
    b.top = krn_box_axis(&b.rows, (ptrdiff_t)(p / w->out_w * w->stride_h) - w->top, w->kernel_h,
                         w->dilation_h, w->in_h);
    b.left = krn_box_axis(&b.columns, (ptrdiff_t)(p % w->out_w * w->stride_w) - w->left,
                          w->kernel_w, w->dilation_w, w->in_w);
    return b;
}

/* Pixel of the image that is tap t of the box. */
static inline size_t krn_box_pixel(const krn_window *w, const krn_box *b, size_t t)
{
    return (b->top + t / b->columns * w->dilation_h) * w->in_w + b->left +
           t % b->columns * w->dilation_w;
}

#endif /* KRN_WINDOW_BOX_H */

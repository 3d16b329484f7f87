/* qs8case.h - random 8-bit products and what they have to give, by definition. Layer: tests. */
#ifndef QS8CASE_H
#define QS8CASE_H

#include "tests/support/checkkern.h"

#include "engine/kernels/krn_qs8_depth.h"

typedef enum qs8_filling {
    QS8_RANDOM,
    QS8_LOWEST,
    QS8_HIGHEST,
    QS8_MIXED,
    QS8_FOURS, /* random, the weights of a product in 4 bits */
    QS8_FILLINGS
} qs8_filling;

/* One convolution of one image, its buffers in guarded memory. */
typedef struct qs8_case {
    krn_window w;
    size_t groups, rows; /* rows: images of one pixel, when the window is a matrix product */
    bool depthwise;
    krn_requant requant;
    krn_qs8_source source;
    check_guard x, weights, want, got, scale, real, factor, bias;
} qs8_case;

/** Fills the window's output size and padding from its kernel; pads by up to `top` and `left`. */
void qs8_case_size(krn_window *w);

/** Makes inputs, weights and factors, and what must come out. Rounding, signs and limits follow the
 * seed. front: buffers begin behind an unreadable page; else they end before one. */
qs8_case qs8_case_make(const krn_window *w, size_t groups, bool depthwise, uint64_t seed,
                       qs8_filling f);
void qs8_case_free(qs8_case *c);

/** Runs it on a tier into c->got; false: the product is not for the tier. */
bool qs8_case_run(qs8_case *c, const krn_qs8_tier *tier);

/** Runs it for its sums, which qs8_case_run() said yes to; true when they are right. */
bool qs8_case_sums(const qs8_case *c, const krn_qs8_tier *tier);

#endif /* QS8CASE_H */

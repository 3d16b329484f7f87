/* krn_winograd.h - convolutions of 3 x 3 taps by fewer products. Layer: kernels.
 * Thread rule: pure functions.
 *
 * The result is cut into tiles of m x m pixels, m = 2 or 4. A tile's (m + 2) x (m + 2) inputs are
 * transformed, each of the (m + 2)^2 positions is a product over channels of all tiles, and the
 * sums are transformed back: 4 or 2.25 multiplications an output instead of 9. */
#ifndef KRN_WINOGRAD_H
#define KRN_WINOGRAD_H

#include "engine/kernels/krn_window.h"

/* Tiles first .. first + count - 1 of an image, in the order of lines, and where their values lie:
 * position p of tile first + i begins at p * apart + i * row floats. */
typedef struct krn_tiles {
    size_t m, first, count;
    size_t row, apart; /* row: channels, rounded up to a vector */
} krn_tiles;

/* Transforms the inputs of tiles: stride 1, no dilation; what lies outside the image is 0. */
#define KRN_DECL_F32_WINOGRAD_IN(name)                                                             \
    void name(float *v, const float *x, const krn_window *w, const krn_tiles *s)
typedef KRN_DECL_F32_WINOGRAD_IN((*krn_f32_winograd_in_fn));
KRN_DECL_F32_WINOGRAD_IN(krn_f32_winograd_in_ref);
KRN_DECL_F32_WINOGRAD_IN(krn_f32_winograd_in_avx2);
KRN_DECL_F32_WINOGRAD_IN(krn_f32_winograd_in_avx512);

typedef struct krn_winograd_end {
    const float *bias; /* [out_c] */
    float low, high;
    size_t apart; /* set by the kernel */
} krn_winograd_end;

/* Transforms sums back and writes the tiles' part of the result y [out_h, out_w, out_c]. */
#define KRN_DECL_F32_WINOGRAD_OUT(name)                                                            \
    void name(float *y, const float *p, const krn_window *w, const krn_tiles *s,                   \
              const krn_winograd_end *e)
typedef KRN_DECL_F32_WINOGRAD_OUT((*krn_f32_winograd_out_fn));
KRN_DECL_F32_WINOGRAD_OUT(krn_f32_winograd_out_ref);
KRN_DECL_F32_WINOGRAD_OUT(krn_f32_winograd_out_avx2);
KRN_DECL_F32_WINOGRAD_OUT(krn_f32_winograd_out_avx512);

/** Transforms the 3 x 3 taps g[0] .. g[8 * step] of one input and output channel: u [(m + 2)^2]. */
void krn_f32_winograd_weights(float *u, const float *g, size_t step, size_t m);

#endif /* KRN_WINOGRAD_H */

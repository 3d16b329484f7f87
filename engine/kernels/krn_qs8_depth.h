/* krn_qs8_depth.h - 8-bit depthwise convolutions on the lines of an instruction set.
 * Layer: kernels. Thread rule: a packed convolution is read-only; runs touch only their scratch. */
#ifndef KRN_QS8_DEPTH_H
#define KRN_QS8_DEPTH_H

#include "engine/kernels/krn_qs8_conv.h"

typedef struct krn_qs8_depth {
    const krn_qs8_tier *tier;
    krn_window window;
    krn_qs8_mode mode;
    bool is_unsigned;
    bool wide;    /* four vectors of channels at a time */
    bool flat;    /* a row of outputs is worked on as if it were one pixel's channels */
    uint8_t zero; /* of x, as its bytes have it */
    int16_t staged_zero;
    size_t size;    /* bytes of an output */
    size_t outs;    /* lines of outputs at once, 1 or 2 */
    bool folded;    /* an image of one row: a strip's rows are four taps of it side by side */
    size_t taps;    /* of a kernel row; folded: fours of them */
    size_t strips;  /* of four kernel rows each */
    size_t ring;    /* strips kept: each is made once */
    size_t vectors; /* of channels at a position */
    size_t positions;
    size_t stage_w; /* columns of a strip */
    const uint8_t *w;
    krn_qs8_tail tail;
    krn_qs8_line_fn line;
    krn_qs8_strip_fn make;
} krn_qs8_depth;

/** As for krn_qs8_conv; one output channel for each input channel. */
size_t krn_qs8_depth_bytes(const krn_qs8_tier *tier, const krn_qs8_source *s);
void krn_qs8_depth_pack(krn_qs8_depth *d, const krn_qs8_tier *tier, const krn_qs8_source *s,
                        void *memory);
size_t krn_qs8_depth_scratch(const krn_qs8_depth *d);

/** One image, x [in_h, in_w, c] to y [out_h, out_w, c]. */
void krn_qs8_depth_run(uint8_t *y, const uint8_t *x, const krn_qs8_depth *d, void *scratch);

/** As krn_qs8_conv_sums. */
void krn_qs8_depth_sums(void *y, const uint8_t *x, const krn_qs8_depth *d, int32_t zero,
                        void *scratch);

#endif /* KRN_QS8_DEPTH_H */

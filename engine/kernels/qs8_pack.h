/* qs8_pack.h - what packing a convolution and a depthwise convolution share: room and tails.
 * Layer: kernels. Thread rule: no shared state. */
#ifndef KRN_QS8_PACK_H
#define KRN_QS8_PACK_H

#include "engine/kernels/krn_qs8_conv.h"

/* Memory handed out piece by piece; with base NULL it only counts. */
typedef struct krn_qs8_room {
    uint8_t *base;
    size_t used;
} krn_qs8_room;

/** The next `bytes`, aligned to 64; NULL while counting. */
void *krn_qs8_take(krn_qs8_room *room, size_t bytes);

/* The arrays of a tail while they are filled. */
typedef struct krn_qs8_tail_room {
    krn_qs8_limits *limits;
    int32_t *bias;
    float *scale, *nudge;
    krn_factor *factor;
    double *real;
} krn_qs8_tail_room;

krn_qs8_tail_room krn_qs8_take_tail(krn_qs8_room *room, size_t n);

/** Fills limits, and *t. The n packed channels become 0; some of them may stay so. */
void krn_qs8_tail_init(krn_qs8_tail *t, const krn_qs8_tail_room *to, size_t n,
                       const krn_qs8_source *s, krn_qs8_mode mode);

/** Bytes of an output. */
static inline size_t krn_qs8_out_size(krn_qs8_mode mode)
{
    return mode == KRN_QS8_SUMS ? sizeof(int32_t) : 1;
}

/** How the tails of n channels have to be computed; sum_abs: the largest sum of the magnitudes of a
 * channel's weights. */
krn_qs8_mode krn_qs8_mode_of(const krn_requant *r, size_t n, uint64_t sum_abs);

/** Fills n staged values of `elem` bytes. */
void krn_qs8_fill(uint8_t *to, int16_t value, size_t n, size_t elem);

/** Fills packed channel `at` from channel c. moved: what is added to its bias, the weights' sum
 * times what staged values stand off from the file's less its zero point. */
void krn_qs8_tail_set(const krn_qs8_tail_room *to, size_t at, const krn_requant *r, size_t c,
                      int64_t moved, krn_qs8_mode mode);

/** True when sums of weights of that size, bias and factor of channel c keep to the limits that
 * float tails rely on. */
bool krn_qs8_tail_fits(const krn_requant *r, size_t c, uint64_t sum_abs);

/** Writes weight v as tap i of lane `lane` in a vector of packed weights. */
void krn_qs8_put(uint8_t *vector, const krn_qs8_tier *t, size_t lane, size_t i, int8_t v);
/** The same for weights of 4 bits, in bytes of KRN_QS8_FOURS before. */
void krn_qs8_put_four(uint8_t *vector, const krn_qs8_tier *t, size_t lane, size_t i, int8_t v);
#define KRN_QS8_FOURS 0x88 /* two weights of 0 */

#define KRN_QS8_MOST_STRIPS 64 /* of a depthwise kernel: 256 rows */

#endif /* KRN_QS8_PACK_H */

/* qs8_lookup_neon.c - tables of 256 bytes in sixteen registers, four of which an instruction reads.
 * Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <arm_neon.h>

/* An index outside of a quarter leaves what an earlier one found. */
static inline uint8x16_t sixteen(uint8x16_t x, const uint8x16x4_t t[4])
{
    uint8x16_t y = vqtbl4q_u8(t[0], x);
    y = vqtbx4q_u8(y, t[1], vsubq_u8(x, vdupq_n_u8(64)));
    y = vqtbx4q_u8(y, t[2], vsubq_u8(x, vdupq_n_u8(128)));
    return vqtbx4q_u8(y, t[3], vsubq_u8(x, vdupq_n_u8(192)));
}

KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_neon)
{
    const uint8x16x4_t t[4] = {vld1q_u8_x4(table), vld1q_u8_x4(table + 64),
                               vld1q_u8_x4(table + 128), vld1q_u8_x4(table + 192)};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        vst1q_u8(y + i, sixteen(vld1q_u8(x + i), t));
    krn_qs8_lookup_ref(y + i, x + i, table, n - i);
}

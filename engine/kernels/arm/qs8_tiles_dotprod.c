/* qs8_tiles_dotprod.c - 8-bit products and depthwise lines, Arm's dot products: up to 24 of 32
 * registers are sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/arm/vec_dotprod.h"

#define TILE_SUMS   24
#define TILE_AHEAD  512 /* bytes */
#define LINE_KEEP   1
#define WIDE_PIXELS 2

#include "engine/kernels/qs8_line_body.h"
#include "engine/kernels/qs8_tile_body.h"

static KRN_DECL_QS8_STAGE(stage)
{
    const uint8_t flip = is_unsigned ? 0x80 : 0;
    uint8_t *to = dst;
    for (size_t i = 0; i < n; i++)
        to[i] = src[i] ^ flip;
}

/* The store puts four rows side by side. */
static KRN_DECL_QS8_STRIP(strip)
{
    const uint8x16_t flip = vdupq_n_u8(is_unsigned ? 0x80 : 0);
    (void)plane;
    for (size_t i = 0; i < n; i += UNIT, strip += 4 * UNIT) {
        uint8x16x4_t v;
        for (int r = 0; r < 4; r++)
            v.val[r] = veorq_u8(vld1q_u8(row[r] + i), flip);
        vst4q_u8(strip, v);
    }
}

// clang-format off
#define TILES(X, mode)                                                                        \
    X(1, 4, mode) X(2, 4, mode) X(3, 4, mode) X(4, 4, mode) X(5, 4, mode) X(6, 4, mode)       \
    X(1, 2, mode) X(2, 2, mode) X(4, 2, mode) X(8, 2, mode)                                   \
    X(1, 1, mode) X(2, 1, mode) X(4, 1, mode) X(8, 1, mode) X(16, 1, mode)
#define TILES_EIGHT(X, mode)
// clang-format on

ALL_TILES(TILE_FUNCTION)
ALL_LINES(LINE_FUNCTION)

const krn_qs8_tier krn_qs8_dotprod = {
    .name = "dotprod",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
    .origin_unsigned = 128,
    .raw_signed = true,
    .vecs = 4,
    .unit = UNIT,
    .stage = stage,
    .strip = strip,
    .strip_step = UNIT,
    .strip_wide = strip,
    // clang-format off
    ALL_TILES(TILE_ENTRY)
    ALL_LINES(LINE_ENTRY)
    // clang-format on
};

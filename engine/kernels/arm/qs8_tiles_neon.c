/* qs8_tiles_neon.c - 8-bit products and depthwise lines, NEON: up to 24 of 32 registers are
 * sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/arm/vec_neon.h"

#define TILE_SUMS   24
#define TILE_AHEAD  512 /* bytes */
#define LINE_KEEP   1
#define WIDE_PIXELS 2

#include "engine/kernels/qs8_line_body.h"
#include "engine/kernels/qs8_tile_body.h"

INLINE int16x8_t eight(const uint8_t *p, bool is_unsigned)
{
    const uint8x8_t v = vld1_u8(p);
    return is_unsigned ? vreinterpretq_s16_u16(vmovl_u8(v)) : vmovl_s8(vreinterpret_s8_u8(v));
}

static KRN_DECL_QS8_STAGE(stage)
{
    int16_t *to = dst;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        vst1q_s16(to + i, eight(src + i, is_unsigned));
    for (; i < n; i++)
        to[i] = (int16_t)krn_q8(src[i], is_unsigned);
}

/* Each row is a plane. */
static KRN_DECL_QS8_STRIP(strip)
{
    for (int r = 0; r < 4; r++)
        for (size_t i = 0; i < n; i += 8)
            vst1q_s16((int16_t *)(void *)(strip + (size_t)r * plane + 2 * i),
                      eight(row[r] + i, is_unsigned));
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

const krn_qs8_tier krn_qs8_neon = {
    .name = "neon",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
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

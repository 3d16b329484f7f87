/* qs8_tile_avx512vnni.c - tiles of 8-bit products, AVX-512 with VNNI: up to 24 of 32 registers are
 * sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vec_avx512vnni.h"

#define TILE_SUMS  24
#define TILE_AHEAD 2048 /* bytes */

#include "engine/kernels/qs8_tail.h"
#include "engine/kernels/qs8_tile_body.h"

// clang-format off
#define TILES(X, mode)                                                                        \
    X(1, 4, mode) X(2, 4, mode) X(3, 4, mode) X(4, 4, mode) X(5, 4, mode) X(6, 4, mode)       \
    X(1, 2, mode) X(2, 2, mode) X(4, 2, mode) X(6, 2, mode) X(8, 2, mode) X(12, 2, mode)      \
    X(1, 1, mode) X(2, 1, mode) X(4, 1, mode) X(8, 1, mode) X(12, 1, mode) X(16, 1, mode)
// clang-format on

TILES(TILE_FUNCTION, NEAREST)
TILES(TILE_FUNCTION, BOUNDS)
TILES(TILE_FUNCTION, SIGNED)

static KRN_DECL_QS8_STAGE(stage)
{
    const uint8_t flip = is_unsigned ? 0 : 0x80;
    uint8_t *to = dst;
    for (size_t i = 0; i < n; i++)
        to[i] = src[i] ^ flip;
}

const krn_qs8_tier krn_qs8_avx512vnni = {
    .name = "avx512vnni",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
    .origin_signed = -128,
    .raw_unsigned = true,
    .vecs = 4,
    .stage = stage,
    TILES(TILE_ENTRY, NEAREST) TILES(TILE_ENTRY, BOUNDS) TILES(TILE_ENTRY, SIGNED)
};

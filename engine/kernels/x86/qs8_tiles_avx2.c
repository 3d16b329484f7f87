/* qs8_tiles_avx2.c - 8-bit products and depthwise lines, AVX2: up to 12 of 16 registers are
 * sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vec_avx2.h"

#define TILE_SUMS   12
#define TILE_AHEAD  1024 /* bytes */
#define LINE_KEEP   0
#define WIDE_PIXELS 1

#include "engine/kernels/qs8_line_body.h"
#include "engine/kernels/qs8_tile_body.h"

INLINE __m256i sixteen(const uint8_t *p, bool is_unsigned)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    return is_unsigned ? _mm256_cvtepu8_epi16(v) : _mm256_cvtepi8_epi16(v);
}

static KRN_DECL_QS8_STAGE(stage)
{
    uint8_t *to = dst;
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        b_store(to + 2 * i, sixteen(src + i, is_unsigned));
    for (; i < n; i++) {
        const int16_t v = (int16_t)krn_q8(src[i], is_unsigned);
        memcpy(to + 2 * i, &v, sizeof(v));
    }
}

/* 16 channels: rows 0 and 1 side by side in the first plane, rows 2 and 3 in the second. */
static KRN_DECL_QS8_STRIP(strip_wide)
{
    for (size_t i = 0; i < n; i += UNIT, strip += 4 * UNIT) {
        const __m256i a = sixteen(row[0] + i, is_unsigned), b = sixteen(row[1] + i, is_unsigned);
        const __m256i c = sixteen(row[2] + i, is_unsigned), d = sixteen(row[3] + i, is_unsigned);
        b_store(strip, _mm256_unpacklo_epi16(a, b));
        b_store(strip + 32, _mm256_unpackhi_epi16(a, b));
        b_store(strip + plane, _mm256_unpacklo_epi16(c, d));
        b_store(strip + plane + 32, _mm256_unpackhi_epi16(c, d));
    }
}

INLINE __m128i eight(const uint8_t *p, bool is_unsigned)
{
    return is_unsigned ? _mm_cvtepu8_epi16(b_eight(p)) : _mm_cvtepi8_epi16(b_eight(p));
}

/* Eight channels in their order. */
static KRN_DECL_QS8_STRIP(strip_narrow)
{
    for (size_t i = 0; i < n; i += 8, strip += 32) {
        const __m128i a = eight(row[0] + i, is_unsigned), b = eight(row[1] + i, is_unsigned);
        const __m128i c = eight(row[2] + i, is_unsigned), d = eight(row[3] + i, is_unsigned);
        b_store(strip, _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b)));
        b_store(strip + plane,
                _mm256_set_m128i(_mm_unpackhi_epi16(c, d), _mm_unpacklo_epi16(c, d)));
    }
}

// clang-format off
#define TILES(X, mode)                                                                        \
    X(1, 2, mode) X(2, 2, mode) X(3, 2, mode) X(4, 2, mode) X(5, 2, mode)                     \
    X(1, 1, mode) X(2, 1, mode) X(4, 1, mode) X(8, 1, mode) X(12, 1, mode)
#define TILES_EIGHT(X, mode) X(6, 2, mode)
// clang-format on

ALL_TILES(TILE_FUNCTION)
ALL_LINES(LINE_FUNCTION)

const krn_qs8_tier krn_qs8_avx2 = {
    .name = "avx2",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
    .vecs = 2,
    .unit = UNIT,
    .stage = stage,
    .strip = strip_narrow,
    .strip_step = 8,
    .strip_wide = strip_wide,
    // clang-format off
    ALL_TILES(TILE_ENTRY)
    ALL_LINES(LINE_ENTRY)
    // clang-format on
};

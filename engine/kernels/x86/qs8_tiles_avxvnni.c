/* qs8_tiles_avxvnni.c - 8-bit products and depthwise lines, AVX-VNNI: up to 12 of 16 registers are
 * sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vec_avxvnni.h"

#define TILE_SUMS   12
#define TILE_AHEAD  1024 /* bytes */
#define LINE_KEEP   1
#define WIDE_PIXELS 1

#include "engine/kernels/qs8_line_body.h"
#include "engine/kernels/qs8_tile_body.h"

static KRN_DECL_QS8_STAGE(stage)
{
    const __m256i flip = _mm256_set1_epi8(is_unsigned ? 0 : -128);
    uint8_t *to = dst;
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        b_store(to + i, _mm256_xor_si256(v_load(src + i), flip));
    krn_qs8_flip(to + i, src + i, n - i, is_unsigned ? 0 : 0x80);
}

/* 32 channels of four rows by two rounds of unpacking. */
static KRN_DECL_QS8_STRIP(strip_wide)
{
    (void)plane;
    const __m256i flip = _mm256_set1_epi8(is_unsigned ? 0 : -128);
    for (size_t i = 0; i < n; i += UNIT, strip += 4 * UNIT) {
        const __m256i a = _mm256_xor_si256(v_load(row[0] + i), flip);
        const __m256i b = _mm256_xor_si256(v_load(row[1] + i), flip);
        const __m256i c = _mm256_xor_si256(v_load(row[2] + i), flip);
        const __m256i d = _mm256_xor_si256(v_load(row[3] + i), flip);
        const __m256i low_ab = _mm256_unpacklo_epi8(a, b), high_ab = _mm256_unpackhi_epi8(a, b);
        const __m256i low_cd = _mm256_unpacklo_epi8(c, d), high_cd = _mm256_unpackhi_epi8(c, d);
        b_store(strip, _mm256_unpacklo_epi16(low_ab, low_cd));
        b_store(strip + 32, _mm256_unpackhi_epi16(low_ab, low_cd));
        b_store(strip + 64, _mm256_unpacklo_epi16(high_ab, high_cd));
        b_store(strip + 96, _mm256_unpackhi_epi16(high_ab, high_cd));
    }
}

/* Eight channels of four rows. */
static KRN_DECL_QS8_STRIP(strip_narrow)
{
    (void)plane;
    const __m256i flip = _mm256_set1_epi8(is_unsigned ? 0 : -128);
    for (size_t i = 0; i < n; i += 8, strip += 32) {
        const __m128i ab = _mm_unpacklo_epi8(b_eight(row[0] + i), b_eight(row[1] + i));
        const __m128i cd = _mm_unpacklo_epi8(b_eight(row[2] + i), b_eight(row[3] + i));
        const __m256i v = _mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd));
        b_store(strip, _mm256_xor_si256(v, flip));
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

const krn_qs8_tier krn_qs8_avxvnni = {
    .name = "avxvnni",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
    .origin_signed = -128,
    .raw_unsigned = true,
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

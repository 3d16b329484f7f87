/* qs8_tiles_avx512vnni.c - 8-bit products and depthwise lines, AVX-512 with VNNI: up to 24 of 32
 * registers are sums. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vec_avx512vnni.h"

#define TILE_SUMS   24
#define TILE_AHEAD  2048 /* bytes */
#define LINE_KEEP   1
#define WIDE_PIXELS 2

#include "engine/kernels/qs8_line_body.h"
#include "engine/kernels/qs8_tile_body.h"

static KRN_DECL_QS8_STAGE(stage)
{
    const __m512i flip = _mm512_set1_epi8(is_unsigned ? 0 : -128);
    uint8_t *to = dst;
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
        b_store(to + i, _mm512_xor_si512(v_load(src + i), flip));
    krn_qs8_flip(to + i, src + i, n - i, is_unsigned ? 0 : 0x80);
}

INLINE __m512i flipped(const uint8_t *p, __m512i flip)
{
    return _mm512_xor_si512(_mm512_loadu_si512(p), flip);
}

/* 64 channels of four rows by two rounds of unpacking. */
INLINE void strip_unpacked(uint8_t *strip, __m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i low_ab = _mm512_unpacklo_epi8(a, b), high_ab = _mm512_unpackhi_epi8(a, b);
    const __m512i low_cd = _mm512_unpacklo_epi8(c, d), high_cd = _mm512_unpackhi_epi8(c, d);
    _mm512_storeu_si512(strip, _mm512_unpacklo_epi16(low_ab, low_cd));
    _mm512_storeu_si512(strip + 64, _mm512_unpackhi_epi16(low_ab, low_cd));
    _mm512_storeu_si512(strip + 128, _mm512_unpacklo_epi16(high_ab, high_cd));
    _mm512_storeu_si512(strip + 192, _mm512_unpackhi_epi16(high_ab, high_cd));
}

static KRN_DECL_QS8_STRIP(strip_wide)
{
    const __m512i flip = _mm512_set1_epi8(is_unsigned ? 0 : -128);
    (void)plane;
    for (size_t i = 0; i < n; i += UNIT, strip += 4 * UNIT)
        strip_unpacked(strip, flipped(row[0] + i, flip), flipped(row[1] + i, flip),
                       flipped(row[2] + i, flip), flipped(row[3] + i, flip));
}

INLINE __m128i sixteen(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 16 channels of four rows: a quarter of a vector each, then transposed. */
INLINE void strip_sixteen(uint8_t *strip, const uint8_t *const row[4], size_t i, __m512i flip)
{
    const __m512i fours = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i rows =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m512i v = _mm512_castsi128_si512(sixteen(row[0] + i));
    v = _mm512_mask_broadcast_i32x4(v, 0x00f0, sixteen(row[1] + i));
    v = _mm512_mask_broadcast_i32x4(v, 0x0f00, sixteen(row[2] + i));
    v = _mm512_mask_broadcast_i32x4(v, 0xf000, sixteen(row[3] + i));
    v = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(fours, v), rows);
    _mm512_storeu_si512(strip, _mm512_xor_si512(v, flip));
}

/* As strip_wide, but fours of channels change places first, so that the vectors come in order. */
static KRN_DECL_QS8_STRIP(strip_narrow)
{
    const __m512i fours = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i flip = _mm512_set1_epi8(is_unsigned ? 0 : -128);
    (void)plane;
    size_t i = 0;
    for (; i + UNIT <= n; i += UNIT, strip += 4 * UNIT) {
        __m512i v[4];
        UNROLL
        for (int r = 0; r < 4; r++)
            v[r] = _mm512_permutexvar_epi32(fours, flipped(row[r] + i, flip));
        strip_unpacked(strip, v[0], v[1], v[2], v[3]);
    }
    for (; i < n; i += 16, strip += 64)
        strip_sixteen(strip, row, i, flip);
}

// clang-format off
#define TILES(X, mode)                                                                        \
    X(1, 4, mode) X(2, 4, mode) X(3, 4, mode) X(4, 4, mode) X(5, 4, mode) X(6, 4, mode)       \
    X(1, 2, mode) X(2, 2, mode) X(4, 2, mode) X(6, 2, mode) X(8, 2, mode) X(12, 2, mode)      \
    X(1, 1, mode) X(2, 1, mode) X(4, 1, mode) X(8, 1, mode) X(12, 1, mode) X(16, 1, mode)
#define TILES_EIGHT(X, mode)
// clang-format on

ALL_TILES(TILE_FUNCTION)
ALL_LINES(LINE_FUNCTION)

const krn_qs8_tier krn_qs8_avx512vnni = {
    .name = "avx512vnni",
    .lanes = LANES,
    .elem = ELEM,
    .planes = PLANES,
    .origin_signed = -128,
    .raw_unsigned = true,
    .vecs = 4,
    .unit = UNIT,
    .stage = stage,
    .strip = strip_narrow,
    .strip_step = 16,
    .strip_wide = strip_wide,
    // clang-format off
    ALL_TILES(TILE_ENTRY)
    ALL_LINES(LINE_ENTRY)
    // clang-format on
};

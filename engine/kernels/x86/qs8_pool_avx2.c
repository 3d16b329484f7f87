/* qs8_pool_avx2.c - means and maxima of 8-bit windows, AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_window.h"
#include "engine/kernels/window_box.h"

#include <immintrin.h>

#define MOST_PIXELS 257 /* whose sum stays in uint16: 255 * 257 */
#define STEP        16  /* channels */

static inline __m128i sixteen(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Unsigned: int8 moved up by 128. */
static inline __m256i widened(const uint8_t *p, __m128i flip)
{
    return _mm256_cvtepu8_epi16(_mm_xor_si128(sixteen(p), flip));
}

/* Sums of 16 channels over the box, from x on. */
static inline __m256i sum_of(const uint8_t *x, const krn_window *w, const krn_box *b,
                             bool is_unsigned)
{
    const __m128i flip = _mm_set1_epi8(is_unsigned ? 0 : -128);
    __m256i sum = _mm256_setzero_si256(), other = sum;
    const size_t step = w->dilation_w * w->in_c;
    for (size_t h = 0; h < b->rows; h++) {
        const uint8_t *p = x + (b->top + h * w->dilation_h) * w->in_w * w->in_c + b->left * w->in_c;
        size_t v = 0;
        for (; v + 2 <= b->columns; v += 2, p += 2 * step) {
            sum = _mm256_add_epi16(sum, widened(p, flip));
            other = _mm256_add_epi16(other, widened(p + step, flip));
        }
        if (v < b->columns) sum = _mm256_add_epi16(sum, widened(p, flip));
    }
    return _mm256_add_epi16(sum, other);
}

/* Eight sums over n, halves away from zero: below 2^24, cutting a float quotient is exact. */
static inline __m256i mean_of(__m128i sums, __m256i moved, __m256 n, __m256i half)
{
    const __m256i sum = _mm256_sub_epi32(_mm256_cvtepu16_epi32(sums), moved);
    const __m256i away = _mm256_add_epi32(sum, _mm256_sign_epi32(half, sum));
    return _mm256_cvttps_epi32(_mm256_div_ps(_mm256_cvtepi32_ps(away), n));
}

/* The low bytes of sixteen, limited. */
static inline __m128i limited(__m256i a, __m256i b, const krn_qs8_mean *m)
{
    const __m256i low = _mm256_set1_epi32(m->low), high = _mm256_set1_epi32(m->high);
    a = _mm256_min_epi32(_mm256_max_epi32(a, low), high);
    b = _mm256_min_epi32(_mm256_max_epi32(b, low), high);
    const __m256i wide = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
    const __m128i first = _mm256_castsi256_si128(wide);
    const __m128i second = _mm256_extracti128_si256(wide, 1);
    return m->is_unsigned ? _mm_packus_epi16(first, second) : _mm_packs_epi16(first, second);
}

static void mean_box(uint8_t *y, const uint8_t *x, const krn_window *w, const krn_box *b,
                     const krn_qs8_mean *m)
{
    const int32_t seen = (int32_t)(b->rows * b->columns), n = seen ? seen : 1;
    const __m256 count = _mm256_set1_ps((float)n);
    const __m256i half = _mm256_set1_epi32(n / 2);
    const __m256i moved = _mm256_set1_epi32(m->is_unsigned ? 0 : 128 * seen);
    for (size_t done = 0; done < w->in_c; done += STEP) {
        const size_t c = done + STEP <= w->in_c ? done : w->in_c - STEP;
        const __m256i sum = sum_of(x + c, w, b, m->is_unsigned);
        const __m256i low = mean_of(_mm256_castsi256_si128(sum), moved, count, half);
        const __m256i high = mean_of(_mm256_extracti128_si256(sum, 1), moved, count, half);
        _mm_storeu_si128((__m128i *)(void *)(y + c), limited(low, high, m));
    }
}

KRN_DECL_QS8_MEAN(krn_qs8_mean_pool_avx2)
{
    const size_t tall = w->kernel_h < w->in_h ? w->kernel_h : w->in_h;
    const size_t broad = w->kernel_w < w->in_w ? w->kernel_w : w->in_w;
    if (w->in_c < STEP || tall * broad > MOST_PIXELS) {
        krn_qs8_mean_pool_ref(y, x, w, m, acc);
        return;
    }
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        const krn_box b = krn_box_of(w, p);
        mean_box(y, x, w, &b, m);
    }
}

typedef struct max_limits { /* as unsigned bytes */
    __m128i low, high, flip;
} max_limits;

static void max_box(uint8_t *y, const uint8_t *x, const krn_window *w, const krn_box *b,
                    const max_limits *k)
{
    for (size_t done = 0; done < w->in_c; done += STEP) {
        const size_t c = done + STEP <= w->in_c ? done : w->in_c - STEP;
        __m128i v = k->low;
        for (size_t t = 0; t < b->rows * b->columns; t++) {
            const __m128i q = sixteen(x + krn_box_pixel(w, b, t) * w->in_c + c);
            v = _mm_max_epu8(v, _mm_xor_si128(q, k->flip));
        }
        v = _mm_xor_si128(_mm_min_epu8(v, k->high), k->flip);
        _mm_storeu_si128((__m128i *)(void *)(y + c), v);
    }
}

KRN_DECL_QS8_MAX(krn_qs8_max_pool_avx2)
{
    const int up = is_unsigned ? 0 : 128;
    if (w->in_c < STEP) {
        krn_qs8_max_pool_ref(y, x, w, is_unsigned, low, high);
        return;
    }
    const max_limits k = {_mm_set1_epi8((char)(low + up)), _mm_set1_epi8((char)(high + up)),
                          _mm_set1_epi8((char)up)};
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        const krn_box b = krn_box_of(w, p);
        max_box(y, x, w, &b, &k);
    }
}

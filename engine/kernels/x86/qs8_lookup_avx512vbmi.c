/* qs8_lookup_avx512vbmi.c - tables of 256 bytes held in four registers. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>

typedef struct halves {
    __m512i low[2], high[2];
} halves;

/* A permutation of two registers reads 7 bits of an index; the eighth chooses between two. */
static inline __m512i sixty_four(__m512i x, const halves *t)
{
    const __m512i low = _mm512_permutex2var_epi8(t->low[0], x, t->low[1]);
    const __m512i high = _mm512_permutex2var_epi8(t->high[0], x, t->high[1]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_avx512vbmi)
{
    const halves t = {{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64)},
                      {_mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)}};
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
        _mm512_storeu_si512(y + i, sixty_four(_mm512_loadu_si512(x + i), &t));
    if (i == n) return;
    const __mmask64 rest = ((__mmask64)1 << (n - i)) - 1;
    _mm512_mask_storeu_epi8(y + i, rest, sixty_four(_mm512_maskz_loadu_epi8(rest, x + i), &t));
}

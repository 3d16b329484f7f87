/* qs8_lstm_avx2.c - the integer LSTM, AVX2. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vec_avx2.h"

#include "engine/kernels/x86/shorts_256.h"

/* n bytes in staged form */
INLINE void stage(uint8_t *to, const uint8_t *from, size_t n)
{
    size_t i = 0;
    for (; i + SHORTS <= n; i += SHORTS)
        s_store((int16_t *)(void *)to + i,
                _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
    for (; i < n; i++)
        ((int16_t *)(void *)to)[i] = (int16_t)krn_q8(from[i], false);
}

INLINE void s_stage(uint8_t *to, shorts v)
{
    s_store((int16_t *)(void *)to, v);
}

#include "engine/kernels/qs8_lstm_body.h"

const krn_qs8_lstm_tier krn_qs8_lstm_avx2 = {.name = "krn_qs8_lstm_avx2",
                                             .lanes = LANES,
                                             .block = SHORTS,
                                             .side = 2,
                                             .elem = ELEM,
                                             .origin = 0,
                                             .run = lstm_run};

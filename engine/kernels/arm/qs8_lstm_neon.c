/* qs8_lstm_neon.c - the integer LSTM, NEON. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/arm/vec_neon.h"

#include "engine/kernels/arm/shorts_128.h"

/* n bytes in staged form */
INLINE void stage(uint8_t *to, const uint8_t *from, size_t n)
{
    int16_t *wide = (int16_t *)(void *)to;
    size_t i = 0;
    for (; i + SHORTS <= n; i += SHORTS)
        s_store(wide + i, vmovl_s8(vld1_s8((const int8_t *)from + i)));
    for (; i < n; i++)
        wide[i] = (int16_t)krn_q8(from[i], false);
}

INLINE void s_stage(uint8_t *to, shorts v)
{
    s_store((int16_t *)(void *)to, v);
}

#include "engine/kernels/qs8_lstm_body.h"

const krn_qs8_lstm_tier krn_qs8_lstm_neon = {.name = "krn_qs8_lstm_neon",
                                             .lanes = LANES,
                                             .block = SHORTS,
                                             .side = 1,
                                             .elem = ELEM,
                                             .origin = 0,
                                             .run = lstm_run};

/* qs8_lstm_dotprod.c - the integer LSTM, Arm's dot products. Layer: kernels. Thread rule: pure
 * functions. */
#include "engine/kernels/arm/vec_dotprod.h"

#include "engine/kernels/arm/shorts_128.h"

/* n bytes in staged form */
INLINE void stage(uint8_t *to, const uint8_t *from, size_t n)
{
    memcpy(to, from, n);
}

INLINE void s_stage(uint8_t *to, shorts v)
{
    s_store_bytes(to, v);
}

#include "engine/kernels/qs8_lstm_body.h"

const krn_qs8_lstm_tier krn_qs8_lstm_dotprod = {.name = "krn_qs8_lstm_dotprod",
                                                .lanes = LANES,
                                                .block = SHORTS,
                                                .side = 4,
                                                .elem = ELEM,
                                                .origin = 0,
                                                .run = lstm_run};

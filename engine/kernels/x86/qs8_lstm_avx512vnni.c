/* qs8_lstm_avx512vnni.c - the integer LSTM, AVX-512 with VNNI. Layer: kernels. Thread rule: pure
 * functions. */
#include "engine/kernels/x86/vec_avx512vnni.h"

#include "engine/kernels/x86/shorts_256.h"

/* n bytes in staged form */
INLINE void stage(uint8_t *to, const uint8_t *from, size_t n)
{
    krn_qs8_flip(to, from, n, 0x80);
}

INLINE void s_stage(uint8_t *to, shorts v)
{
    s_store_bytes(to, s_xor(v, s_all(-128)));
}

#include "engine/kernels/qs8_lstm_body.h"

const krn_qs8_lstm_tier krn_qs8_lstm_avx512vnni = {.name = "krn_qs8_lstm_avx512vnni",
                                                   .lanes = LANES,
                                                   .block = SHORTS,
                                                   .side = 4,
                                                   .elem = ELEM,
                                                   .origin = -128,
                                                   .run = lstm_run};

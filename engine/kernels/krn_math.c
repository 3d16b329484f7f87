/* krn_math.c - chooses the kernels of elementwise operators. Layer: kernels. */
#include "engine/kernels/krn_math.h"

#include "engine/kernels/cpu.h"
#include "engine/kernels/f32_lanes.h"

krn_unary_fn krn_unary_find(krn_unary op, krn_type t, unsigned cpu)
{
    krn_unary_fn fn = t == KRN_F32 ? krn_f32_unary_lanes[op] : NULL;
#if defined(__x86_64__)
    if (fn && cpu & KRN_CPU_AVX2) fn = krn_f32_unary_avx2[op];
#else
    (void)cpu;
#endif
    return fn ? fn : krn_unary_ref(op, t);
}

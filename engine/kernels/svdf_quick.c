/* svdf_quick.c - SVDF in the vectors that every CPU of the architecture has. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/svdf_lanes.h"

#include "engine/kernels/cpu.h"

KRN_SVDF_LANES(krn_q_svdf_lanes)

krn_q_svdf_fn krn_q_svdf_choose(unsigned cpu)
{
#if defined(__x86_64__)
    if (cpu & KRN_CPU_AVX2) return krn_q_svdf_avx2;
#else
    (void)cpu;
#endif
    return krn_q_svdf_lanes;
}

/* svdf_avx2.c - the same loops with AVX2. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/svdf_lanes.h"

KRN_SVDF_LANES(krn_q_svdf_avx2)

/* f32_unary.c - quick elementwise operators for whatever vectors every CPU of the architecture has.
 * Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/f32_lanes.h"

KRN_F32_LANES(krn_f32_unary_lanes);

/* krn_math.c - chooses the kernels of elementwise operators. Layer: kernels. */
#include "engine/kernels/krn_math.h"

krn_unary_fn krn_unary_find(krn_unary op, krn_type t, unsigned cpu)
{
    (void)cpu;
    return krn_unary_ref(op, t);
}

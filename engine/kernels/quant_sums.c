/* quant_sums.c - which sums of quantized values the fast kernels take. Layer: kernels.
 * Thread rule: no shared state. */
#include "engine/kernels/krn_quant_reduce.h"

#define MOST_TERMS (1 << 22) /* 255 * 2^22 < 2^31, also twice over */

bool krn_q_axis_of(krn_q_axis *a, const krn_groups *g, const krn_q_reduce *p)
{
    *a = (krn_q_axis){1, 1, 1, {{0, 0}, 0, 0}};
    int i = 0;
    if (!g->reduced[0]) a->outer = g->dim[i++];
    if (i < g->n) a->n = g->dim[i++];
    if (i < g->n) a->inner = g->dim[i++];
    if (i < g->n || p->type == KRN_I16 || p->way == KRN_Q_REDUCE_PROD) return false;
    if (g->count == 0 || g->count > MOST_TERMS) return false;
    a->tail = krn_q_sum_tail_of(p, a->n);
    return true;
}

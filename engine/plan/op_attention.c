/* op_attention.c - ATTENTION, head by head. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"

#include "engine/kernels/krn_attention.h"

#include <math.h>
#include <string.h>

enum { Q, K, V, MASK, PAST_K, PAST_V, LENGTHS };

/* [n, heads, t, d] in either form: steps in elements. */
typedef struct heads {
    size_t n, heads, t, d;
    size_t step_n, step_head, step_t;
} heads;

typedef struct attention {
    heads q, k, v, y;
    size_t past, kv_len;                /* steps before k, and in all */
    size_t mask_n, mask_head, mask_row; /* steps of the mask */
    size_t mask_len;
    float scale;
} attention;

PLAN_PREPARE(plan_attention)
{
    (void)env;
    for (int32_t i = 0; i < l->node->n_in; i++) {
        const ir_tensor *t = plan_in(l, g, i);
        const bool fits = !t || t->dtype == ENG_F32 || (i == MASK && t->dtype == ENG_BOOL) ||
                          (i == LENGTHS && t->dtype == ENG_I64);
        if (!fits || (t && i == LENGTHS && t->dtype != ENG_I64))
            return nf_fail(err, NF_EUNSUPPORTED, t->name, "ATTENTION with an operand of %s",
                           eng_dtype_oip(t->dtype));
    }
    for (int32_t i = 0; i < l->node->n_out; i++)
        if (plan_out(l, g, i) && plan_out(l, g, i)->dtype != ENG_F32)
            return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, i)->name,
                           "ATTENTION with a result of %s",
                           eng_dtype_oip(plan_out(l, g, i)->dtype));
    return NF_OK;
}

static heads open_heads(const plan_shape *x, size_t count)
{
    if (x->rank == 4)
        return (heads){x->dim[0],
                       x->dim[1],
                       x->dim[2],
                       x->dim[3],
                       x->dim[1] * x->dim[2] * x->dim[3],
                       x->dim[2] * x->dim[3],
                       x->dim[3]};
    const size_t d = count ? x->dim[2] / count : 0;
    return (heads){x->dim[0], count, x->dim[1], d, x->dim[1] * x->dim[2], d, x->dim[2]};
}

static bool has(const plan_step *s, int32_t i)
{
    return i < s->layer->node->n_in && s->layer->node->in[i] >= 0;
}

/* Dimension i from the right of the mask, 1 where it has none. */
static size_t mask_dim(const plan_shape *m, int i)
{
    return i < m->rank ? m->dim[m->rank - 1 - i] : 1;
}

static bool bind_mask(attention *k, const plan_shape *m)
{
    const size_t len = mask_dim(m, 0), rows = mask_dim(m, 1), h = mask_dim(m, 2),
                 n = mask_dim(m, 3);
    k->mask_len = len == 1 ? 1 : len;
    k->mask_row = rows == 1 ? 0 : len;
    k->mask_head = h == 1 ? 0 : rows * len;
    k->mask_n = n == 1 ? 0 : h * rows * len;
    return m->rank >= 2 && m->rank <= 4 && len <= k->kv_len && (rows == 1 || rows == k->q.t) &&
           (h == 1 || h == k->q.heads) && (n == 1 || n == k->q.n);
}

/* Scratch: k and v [n, heads, kv_len, d] with what is past, and one row of products. */
PLAN_BIND(plan_bind_attention)
{
    const ir_node *node = s->layer->node;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(attention), err))) return st;
    attention *k = s->bound;
    k->q = open_heads(&in[Q], (size_t)node->attr.attention.q_heads);
    k->k = open_heads(&in[K], (size_t)node->attr.attention.kv_heads);
    k->v = open_heads(&in[V], (size_t)node->attr.attention.kv_heads);
    k->y = open_heads(&out[0], (size_t)node->attr.attention.q_heads);
    k->past = has(s, PAST_K) ? in[PAST_K].dim[2] : 0;
    k->kv_len = k->past + k->k.t;
    bool fits = k->k.heads > 0 && k->q.heads % k->k.heads == 0 && k->q.n == k->k.n &&
                k->q.n == k->v.n && k->q.d == k->k.d && k->k.t == k->v.t &&
                k->k.heads == k->v.heads;
    if (has(s, PAST_K))
        fits = fits && has(s, PAST_V) &&
               in[PAST_K].elems == k->k.n * k->k.heads * k->past * k->k.d &&
               in[PAST_V].elems == k->k.n * k->k.heads * k->past * k->v.d;
    if (has(s, MASK)) fits = fits && bind_mask(k, &in[MASK]);
    if (has(s, LENGTHS)) fits = fits && in[LENGTHS].elems == k->q.n;
    if (!fits) return nf_fail(err, NF_EINVAL, "ATTENTION", "q, k, v, past or mask that do not fit");
    const float scale = node->attr.attention.scale;
    k->scale = scale != 0 ? scale : 1 / sqrtf((float)k->q.d);
    s->scratch_bytes =
        (k->k.n * k->k.heads * k->kv_len * (k->k.d + k->v.d) + k->kv_len) * sizeof(float);
    s->macs = (uint64_t)k->q.n * k->q.heads * k->q.t * k->kv_len * (k->q.d + k->v.d);
    return NF_OK;
}

/* to [n, heads, past + t, d] from what is past [n, heads, past, d] and x. */
static void join(float *to, const float *past, size_t past_len, const float *x, const heads *h)
{
    for (size_t n = 0; n < h->n; n++)
        for (size_t i = 0; i < h->heads; i++) {
            if (past_len)
                memcpy(to, past + (n * h->heads + i) * past_len * h->d,
                       past_len * h->d * sizeof(*to));
            to += past_len * h->d;
            for (size_t t = 0; t < h->t; t++, to += h->d)
                memcpy(to, x + n * h->step_n + i * h->step_head + t * h->step_t,
                       h->d * sizeof(*to));
        }
}

/* Columns of image n that are true. */
static size_t valid_of(const plan_step *s, size_t n)
{
    const attention *k = s->bound;
    if (!has(s, LENGTHS)) return k->kv_len;
    const int64_t length = ((const int64_t *)s->in[LENGTHS])[n];
    if (length >= 0 && length <= (int64_t)k->kv_len) return (size_t)length;
    plan_fail(s, NF_EINVAL, "ATTENTION", "length %lld of %zu", (long long)length, k->kv_len);
    return 0;
}

static void one_head(const plan_step *s, const float *keys, const float *values, float *scores,
                     size_t n, size_t h)
{
    const attention *k = s->bound;
    const ir_node *node = s->layer->node;
    const size_t kv = n * k->k.heads + h / (k->q.heads / k->k.heads);
    const size_t at = n * k->mask_n + h * k->mask_head, valid = valid_of(s, n);
    const bool truth =
        has(s, MASK) && plan_in(s->layer, s->layer->owner->g, MASK)->dtype == ENG_BOOL;
    const krn_attention p = {
        .q_len = k->q.t,
        .kv_len = k->kv_len,
        .d = k->q.d,
        .dv = k->v.d,
        .step_q = k->q.step_t,
        .step_y = k->y.step_t,
        .scale = k->scale,
        .softcap = node->attr.attention.softcap,
        .bias = has(s, MASK) && !truth ? (const float *)s->in[MASK] + at : NULL,
        .mask = truth ? (const uint8_t *)s->in[MASK] + at : NULL,
        .bias_len = k->mask_len,
        .bias_step = k->mask_row,
        .valid = valid,
        .causal = node->attr.attention.causal,
        .offset = has(s, LENGTHS) ? (ptrdiff_t)valid - (ptrdiff_t)k->q.t : (ptrdiff_t)k->past,
        .mode = node->attr.attention.mode};
    float *products = node->n_out > 3 ? s->out[3] : NULL;
    if (products) products += (n * k->q.heads + h) * k->q.t * k->kv_len;
    krn_f32_attention_ref((float *)s->y + n * k->y.step_n + h * k->y.step_head, products,
                          (const float *)s->in[Q] + n * k->q.step_n + h * k->q.step_head,
                          keys + kv * k->kv_len * k->k.d, values + kv * k->kv_len * k->v.d, scores,
                          &p);
}

PLAN_RUN(plan_run_attention)
{
    const attention *k = s->bound;
    const ir_node *node = s->layer->node;
    const size_t n_keys = k->k.n * k->k.heads * k->kv_len * k->k.d;
    const size_t n_values = k->k.n * k->k.heads * k->kv_len * k->v.d;
    float *keys = s->scratch, *values = keys + n_keys, *scores = values + n_values;
    join(keys, k->past ? s->in[PAST_K] : NULL, k->past, s->in[K], &k->k);
    join(values, k->past ? s->in[PAST_V] : NULL, k->past, s->in[V], &k->v);
    if (node->n_out > 1 && s->out[1]) memcpy(s->out[1], keys, n_keys * sizeof(float));
    if (node->n_out > 2 && s->out[2]) memcpy(s->out[2], values, n_values * sizeof(float));
    for (size_t n = 0; n < k->q.n; n++)
        for (size_t h = 0; h < k->q.heads; h++)
            one_head(s, keys, values, scores, n, h);
}

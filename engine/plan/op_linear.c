/* op_linear.c - QUANTIZE_LINEAR, DEQUANTIZE_LINEAR and DYNAMIC_QUANTIZE: scales and zero points are
 * inputs. Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"

#include "engine/kernels/krn_linear.h"
#include "engine/kernels/krn_nn.h"
#include "engine/kernels/krn_qs8_real.h"

typedef struct linear {
    krn_linear p;
    size_t elems, scales;
    krn_type type; /* of the quantized side */
    bool has_zero;
} linear;

static bool range_of(int32_t *low, int32_t *high, eng_dtype t)
{
    static const struct {
        eng_dtype type;
        int32_t low, high;
    } rows[] = {{ENG_I8, -128, 127},
                {ENG_U8, 0, 255},
                {ENG_I16, -32768, 32767},
                {ENG_U16, 0, 65535},
                {ENG_I32, INT32_MIN, INT32_MAX}};
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        if (rows[i].type != t) continue;
        *low = rows[i].low;
        *high = rows[i].high;
        return true;
    }
    return false;
}

PLAN_PREPARE(plan_quant_linear)
{
    const bool back = l->node->op == IR_DEQUANTIZE_LINEAR;
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0), *z = plan_in(l, g, 2);
    const ir_tensor *q = back ? x : y, *real = back ? y : x;
    int32_t low, high;
    (void)env;
    if (real->dtype == ENG_F32 && plan_in(l, g, 1)->dtype == ENG_F32 &&
        range_of(&low, &high, q->dtype) && (back || q->dtype != ENG_I32) &&
        (!z || z->dtype == q->dtype))
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s to %s", ir_op_name(l->node->op),
                   eng_dtype_oip(x->dtype), eng_dtype_oip(y->dtype));
}

static bool blocks_fit(const plan_shape *x, const plan_shape *scale, int axis, size_t block)
{
    bool fits = x->rank == scale->rank;
    for (int i = 0; fits && i < x->rank; i++)
        fits = scale->dim[i] == (i == axis ? (x->dim[i] + block - 1) / block : x->dim[i]);
    return fits;
}

/* Scratch: the quantized side as INT32, then zero points. */
PLAN_BIND(plan_bind_quant_linear)
{
    const plan_layer *l = s->layer;
    const int axis = l->node->attr.linear.axis;
    const size_t block = (size_t)(l->node->attr.linear.block > 0 ? l->node->attr.linear.block : 0);
    const bool back = l->node->op == IR_DEQUANTIZE_LINEAR;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(linear), err))) return st;
    linear *k = s->bound;
    const eng_dtype type = (back ? plan_in : plan_out)(l, l->owner->g, 0)->dtype;
    *k = (linear){.elems = out->elems,
                  .scales = in[1].elems,
                  .has_zero = l->node->n_in > 2 && l->node->in[2] >= 0};
    plan_krn_type(&k->type, type);
    range_of(&k->p.low, &k->p.high, type);
    k->p.outer = k->p.n = k->p.inner = 1;
    if (k->scales == 1) {
        k->p.inner = out->elems;
    } else {
        for (int i = 0; i < out->rank; i++)
            *(i < axis ? &k->p.outer : i == axis ? &k->p.n : &k->p.inner) *= out->dim[i];
        k->p.block = block;
    }
    const bool each = k->scales == 1 || (!block && k->scales == k->p.n);
    if ((!each && !(block && blocks_fit(&in[0], &in[1], axis, block))) ||
        (k->has_zero && in[2].elems != k->scales))
        return nf_fail(err, NF_EFORMAT, ir_op_name(l->node->op),
                       "%zu scales that do not fit axis %d", k->scales, axis);
    if (k->scales == 1) k->p.block = 0;
    /* one scale: index 0 of an axis of size 1 */
    s->scratch_bytes = (k->elems + k->scales) * sizeof(int32_t);
    return NF_OK;
}

static krn_linear open_linear(const plan_step *s, int32_t **whole)
{
    const linear *k = s->bound;
    krn_linear p = k->p;
    int32_t *zero = (int32_t *)s->scratch + k->elems;
    *whole = s->scratch;
    p.scale = s->in[1];
    if (k->has_zero) krn_cast_ref(zero, KRN_I32, s->in[2], k->type, k->scales);
    p.zero = k->has_zero ? zero : NULL;
    return p;
}

/* As the format says: NaN is the zero point. */
static krn_qs8_steps steps_to(float scale, int32_t zero, bool is_unsigned)
{
    krn_qs8_steps to = krn_qs8_steps_to(scale, zero, is_unsigned, false);
    to.nan = 0;
    return to;
}

/* 8 bits by one scale. */
static bool is_plain(const linear *k)
{
    return k->scales == 1 && (k->type == KRN_I8 || k->type == KRN_U8);
}

static int32_t only_zero(const plan_step *s, const linear *k)
{
    int32_t zero = 0;
    if (k->has_zero) krn_cast_ref(&zero, KRN_I32, s->in[2], k->type, 1);
    return zero;
}

PLAN_RUN(plan_run_quantize_linear)
{
    const linear *k = s->bound;
    int32_t *whole;
    if (is_plain(k)) {
        const krn_qs8_steps to =
            steps_to(*(const float *)s->in[1], only_zero(s, k), k->type == KRN_U8);
        s->layer->qs8.real->bytes(s->y, s->a, k->elems, &to);
        return;
    }
    const krn_linear p = open_linear(s, &whole);
    krn_quantize_linear_ref(whole, s->a, &p);
    krn_cast_ref(s->y, k->type, whole, KRN_I32, k->elems);
}

PLAN_RUN(plan_run_dequantize_linear)
{
    const linear *k = s->bound;
    int32_t *whole;
    if (is_plain(k)) {
        s->layer->qs8.real->floats(s->y, s->a, k->elems, *(const float *)s->in[1], only_zero(s, k),
                                   k->type == KRN_U8);
        return;
    }
    const krn_linear p = open_linear(s, &whole);
    krn_cast_ref(whole, KRN_I32, s->a, k->type, k->elems);
    krn_dequantize_linear_ref(s->y, whole, &p);
}

PLAN_PREPARE(plan_dynamic_quantize)
{
    const ir_tensor *y = plan_out(l, g, 0), *s = plan_out(l, g, 1), *z = plan_out(l, g, 2);
    (void)env;
    if (plan_in(l, g, 0)->dtype == ENG_F32 && y->dtype == ENG_U8 && (!s || s->dtype == ENG_F32) &&
        (!z || z->dtype == ENG_U8))
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "DYNAMIC_QUANTIZE is of FP32 to UINT8");
}

PLAN_BIND(plan_bind_dynamic_quantize)
{
    (void)in, (void)err;
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_dynamic_quantize)
{
    const ir_node *n = s->layer->node;
    const krn_qs8_real *real = s->layer->qs8.real;
    float scale, low, high;
    uint8_t zero;
    real->range(&low, &high, s->a, s->u.elems);
    krn_dynamic_range(&scale, &zero, low, high);
    const krn_qs8_steps to = steps_to(scale, zero, true);
    real->bytes(s->y, s->a, s->u.elems, &to);
    if (n->n_out > 1 && s->out[1]) *(float *)s->out[1] = scale;
    if (n->n_out > 2 && s->out[2]) *(uint8_t *)s->out[2] = zero;
}

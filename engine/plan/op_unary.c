/* op_unary.c - elementwise operators of one operand. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"

#include "engine/base/mem.h"

#include <math.h>

typedef struct unary {
    krn_unary_fn fn;
    float p[2];
} unary;

nf_status plan_unsupported(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0);
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s with %s input",
                   ir_op_name(l->node->op), x ? eng_dtype_oip(x->dtype) : "no");
}

krn_type plan_type(const plan_step *s)
{
    krn_type t;
    plan_krn_type(&t, plan_in(s->layer, s->layer->owner->g, 0)->dtype);
    return t;
}

int64_t plan_number(const plan_step *s, int32_t input, size_t i)
{
    const ir_tensor *t = plan_in(s->layer, s->layer->owner->g, input);
    const void *p = s->in[input];
    return t->dtype == ENG_I64 ? ((const int64_t *)p)[i] : ((const int32_t *)p)[i];
}

/* Constants of SELU: where mean 0 and variance 1 are a fixed point (Klambauer et al. 2017). */
#define SELU_ALPHA 1.67326319f
#define SELU_GAMMA 1.05070102f

static void set_parameters(unary *u, const ir_node *node)
{
    const ir_attr *a = &node->attr;
    const bool unset = a->scalar.alpha == 0 && a->scalar.beta == 0;
    u->p[0] = a->scalar.alpha;
    u->p[1] = a->scalar.beta;
    if (node->op == IR_SILU && a->scalar.alpha == 0) u->p[0] = 1;
    if (node->op == IR_SELU && unset) {
        u->p[0] = SELU_ALPHA;
        u->p[1] = SELU_GAMMA;
    }
    if (node->op == IR_IS_INF) {
        u->p[0] = a->misc.flag ? 0 : 1;
        u->p[1] = a->misc.flag2 ? 0 : 1;
    }
}

static krn_unary kernel_of(const ir_node *node)
{
    static const uint8_t ops[IR_OP_COUNT] = {
#define X(name, lower) [IR_##name] = KRN_##name,
        KRN_UNARY_MAP(X)
#undef X
    };
    return node->op == IR_GELU && node->attr.misc.flag ? KRN_GELU_TANH : ops[node->op];
}

PLAN_PREPARE(plan_unary)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    const krn_unary op = kernel_of(l->node);
    const bool to_bool = op == KRN_IS_NAN || op == KRN_IS_INF;
    krn_type type;
    if (!plan_krn_type(&type, x->dtype) || !krn_unary_ref(op, type) ||
        y->dtype != (to_bool ? ENG_BOOL : x->dtype))
        return plan_unsupported(l, g, err);
    unary *u = l->own = nf_alloc(sizeof(*u), NF_MEM_GRAPH);
    if (!u) return nf_fail(err, NF_ENOMEM, y->name, "no memory");
    u->fn = krn_unary_find(op, type, env->cpu);
    set_parameters(u, l->node);
    return NF_OK;
}

PLAN_RUN(plan_run_unary)
{
    const unary *u = s->layer->own;
    u->fn(s->y, s->a, s->u.elems, u->p);
}

/* Numbers of one size; those with a scale have a meaning beside their bytes. */
PLAN_PREPARE(plan_bitcast)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    (void)env;
    if (eng_dtype_size(x->dtype) == eng_dtype_size(y->dtype) && y->dtype != ENG_STR &&
        !x->quant.n && !y->quant.n)
        return NF_OK;
    return plan_unsupported(l, g, err);
}

/* CLAMP of whole numbers: the limits as elements. */
PLAN_RUN(plan_run_clamp_int)
{
    const krn_type t = plan_type(s);
    uint64_t low, high;
    krn_cast_ref(&low, t, &s->layer->clamp_low, KRN_F32, 1);
    krn_cast_ref(&high, t, &s->layer->clamp_high, KRN_F32, 1);
    krn_binary_ref(KRN_MAXIMUM, t)(s->y, s->a, 1, &low, 0, s->u.elems);
    krn_binary_ref(KRN_MINIMUM, t)(s->y, s->y, 1, &high, 0, s->u.elems);
}

/* op_math.c - elementwise operators of two operands and SELECT, with broadcasting. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"

#include "engine/base/mem.h"

#include <math.h>

typedef struct binary {
    krn_binary_fn fn;
    size_t size_x, size_y; /* bytes of an element */
    bool divides;          /* whole numbers */
    bool clamps;           /* likewise */
    krn_type type;
    krn_binary_fn lower, upper; /* of the limits */
    uint64_t low, high;         /* one element each */
} binary;

static krn_binary kernel_of(const ir_node *node)
{
    static const uint8_t ops[IR_OP_COUNT] = {
#define X(name, lower) [IR_##name] = KRN_##name,
        KRN_BINARY_MAP(X)
#undef X
    };
    if (node->op == IR_BIT_SHIFT) return node->attr.misc.flag ? KRN_SHIFT_RIGHT : KRN_SHIFT_LEFT;
    return ops[node->op];
}

static nf_status make_binary(binary **b, plan_layer *l, const ir_graph *g, nf_error *err)
{
    *b = l->own = nf_alloc(sizeof(**b), NF_MEM_GRAPH);
    if (!*b) return nf_fail(err, NF_ENOMEM, plan_out(l, g, 0)->name, "no memory");
    (*b)->size_x = eng_dtype_size(plan_in(l, g, 0)->dtype);
    (*b)->size_y = eng_dtype_size(plan_out(l, g, 0)->dtype);
    return NF_OK;
}

static void set_limits(binary *b, const plan_layer *l)
{
    b->clamps = l->clamp_low > -INFINITY || l->clamp_high < INFINITY;
    if (!b->clamps || b->type == KRN_F32) return;
    krn_cast_ref(&b->low, b->type, &l->clamp_low, KRN_F32, 1);
    krn_cast_ref(&b->high, b->type, &l->clamp_high, KRN_F32, 1);
    b->lower = krn_binary_ref(KRN_MAXIMUM, b->type);
    b->upper = krn_binary_ref(KRN_MINIMUM, b->type);
}

PLAN_PREPARE(plan_binary_plain)
{
    const krn_binary op = kernel_of(l->node);
    const ir_tensor *x = plan_in(l, g, 0);
    krn_type type;
    binary *b;
    nf_status st;
    (void)env;
    if (!plan_krn_type(&type, x->dtype) || plan_in(l, g, 1)->dtype != x->dtype ||
        plan_in(l, g, 1)->quant.n || !krn_binary_ref(op, type))
        return plan_unsupported(l, g, err);
    if ((st = make_binary(&b, l, g, err))) return st;
    b->fn = krn_binary_ref(op, type);
    b->type = type;
    b->divides = type != KRN_F32 &&
                 (op == KRN_DIV || op == KRN_FLOOR_DIV || op == KRN_FLOOR_MOD || op == KRN_MOD);
    set_limits(b, l);
    return NF_OK;
}

PLAN_PREPARE(plan_str_equal)
{
    binary *b;
    (void)env;
    const nf_status st = make_binary(&b, l, g, err);
    if (!st) b->fn = krn_str_equal_ref;
    return st;
}

typedef struct spread_bound {
    plan_spread spread;
    size_t divisors; /* elements of input 1 */
} spread_bound;

PLAN_BIND(plan_bind_spread)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(spread_bound), err))) return st;
    spread_bound *p = s->bound;
    plan_spread_of(&p->spread, in, 2, out);
    p->divisors = in[1].elems;
    s->u.elems = out->elems;
    return NF_OK;
}

static const char *result_name(const plan_step *s)
{
    return plan_out(s->layer, s->layer->owner->g, 0)->name;
}

PLAN_RUN(plan_run_binary_plain)
{
    const binary *b = s->layer->own;
    const spread_bound *p = s->bound;
    const plan_spread *w = &p->spread;
    const size_t n = w->dim[w->rank - 1];
    size_t at[PLAN_SIDES];
    if (b->divides && krn_has_zero(s->b, b->type, p->divisors))
        plan_fail(s, NF_EINVAL, result_name(s), "%s by 0", ir_op_name(s->layer->node->op));
    for (size_t k = 0; k < w->lines; k++) {
        plan_spread_at(at, w, k);
        b->fn((uint8_t *)s->y + k * n * b->size_y, (const uint8_t *)s->a + at[0] * b->size_x,
              plan_spread_step(w, 0), (const uint8_t *)s->b + at[1] * b->size_x,
              plan_spread_step(w, 1), n);
    }
    if (!b->lower) return;
    b->lower(s->y, s->y, 1, &b->low, 0, s->u.elems);
    b->upper(s->y, s->y, 1, &b->high, 0, s->u.elems);
}

static bool same_scale(const ir_quant *p, const ir_quant *q)
{
    if (p->n == 0 && q->n == 0) return true;
    return p->n == 1 && q->n == 1 && p->scale[0] == q->scale[0] && p->zero[0] == q->zero[0];
}

PLAN_PREPARE(plan_select)
{
    const ir_tensor *a = plan_in(l, g, 1), *b = plan_in(l, g, 2), *y = plan_out(l, g, 0);
    (void)env;
    if (plan_in(l, g, 0)->dtype != ENG_BOOL) return plan_unsupported(l, g, err);
    if (a->dtype == b->dtype && a->dtype == y->dtype && same_scale(&a->quant, &b->quant) &&
        same_scale(&a->quant, &y->quant))
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "SELECT needs both sides and result of one kind");
}

PLAN_BIND(plan_bind_select)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(plan_spread), err))) return st;
    plan_spread_of(s->bound, in, 3, out);
    return NF_OK;
}

PLAN_RUN(plan_run_select)
{
    const plan_spread *w = s->bound;
    const size_t size = eng_dtype_size(plan_out(s->layer, s->layer->owner->g, 0)->dtype);
    const size_t n = w->dim[w->rank - 1];
    size_t at[PLAN_SIDES];
    for (size_t k = 0; k < w->lines; k++) {
        plan_spread_at(at, w, k);
        const krn_side c = {(const uint8_t *)s->in[0] + at[0], plan_spread_step(w, 0)};
        const krn_side a = {(const uint8_t *)s->in[1] + at[1] * size, plan_spread_step(w, 1)};
        const krn_side b = {(const uint8_t *)s->in[2] + at[2] * size, plan_spread_step(w, 2)};
        krn_select_ref((uint8_t *)s->y + k * n * size, c, a, b, n, size);
    }
}

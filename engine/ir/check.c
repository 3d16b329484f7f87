/* check.c - element types, quantization and parameters that each op may have. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/verify.h"

#include <math.h>

typedef struct check_args {
    const ir_graph *g;
    const ir_node *node;
    const int32_t *maker;
    const ir_tensor *out;
    nf_error *err;
} check_args;

typedef nf_status (*check_rule)(const check_args *a);

static const ir_tensor *input(const check_args *a, int32_t i)
{
    const ir_node *node = a->node;
    return i < node->n_in && node->in[i] != IR_NONE ? &a->g->tensors[node->in[i]] : NULL;
}

static bool is_byte(const ir_tensor *t)
{
    return t->dtype == ENG_I8 || t->dtype == ENG_U8;
}

static bool is_int(const ir_tensor *t)
{
    return is_byte(t) || t->dtype == ENG_I16 || t->dtype == ENG_I32;
}

nf_status ir_check_quant(const ir_tensor *t, nf_error *err)
{
    const ir_quant *q = &t->quant;
    if (q->n > 1 && (q->axis < 0 || q->axis >= t->rank))
        return nf_fail(err, NF_EFORMAT, t->name, "is quantized along axis %d of %d", q->axis,
                       t->rank);
    if (q->n > 1 && t->dim[q->axis] != (int64_t)q->n)
        return nf_fail(err, NF_EFORMAT, t->name, "has %zu scales for %lld channels", q->n,
                       (long long)t->dim[q->axis]);
    return NF_OK;
}

static nf_status wrong_types(const check_args *a)
{
    const ir_tensor *x = input(a, 0), *y = input(a, 1);
    return nf_fail(a->err, NF_EUNSUPPORTED, a->out->name, "%s from %s%s%s to %s",
                   ir_op_name(a->node->op), eng_dtype_oip(x->dtype), y ? " and " : "",
                   y ? eng_dtype_oip(y->dtype) : "", eng_dtype_oip(a->out->dtype));
}

/* An 8- or 16-bit activation: one scale for the whole tensor. */
static nf_status check_activation(const check_args *a, const ir_tensor *t)
{
    if (!is_byte(t) && t->dtype != ENG_I16) return wrong_types(a);
    if (t->quant.n != 1)
        return nf_fail(a->err, NF_EUNSUPPORTED, t->name, "%s of %s needs one scale, there are %zu",
                       ir_op_name(a->node->op), eng_dtype_oip(t->dtype), t->quant.n);
    return NF_OK;
}

static nf_status check_clamp(const check_args *a)
{
    ir_node copy = *a->node;
    const ir_clamp *c = ir_node_clamp(&copy);
    if (c && !(c->low <= c->high)) /* true for NaN too */
        return nf_fail(a->err, NF_EFORMAT, a->out->name, "%s limits its result to %g .. %g",
                       ir_op_name(a->node->op), (double)c->low, (double)c->high);
    return NF_OK;
}

/* Weights and biases are packed at load, so they stand in the file: as they are, or quantized. */
static bool is_stored(const check_args *a, int32_t i)
{
    const ir_tensor *t = input(a, i);
    if (!t || t->data) return true;
    const int32_t m = a->maker[a->node->in[i]];
    if (m == IR_NONE) return false;
    const ir_node *from = &a->g->nodes[m]; /* CAST: of float16 */
    return (from->op == IR_DEQUANTIZE || from->op == IR_CAST) && a->g->tensors[from->in[0]].data;
}

static nf_status check_weights(const check_args *a, const ir_tensor *w, int axis)
{
    const bool quantized = is_byte(w) && w->quant.n > 0;
    for (int i = 0; i < w->rank; i++)
        if (w->dim[i] < 1) return nf_fail(a->err, NF_EFORMAT, w->name, "weights of no elements");
    if (w->dtype != ENG_F32 && !quantized)
        return nf_fail(a->err, is_byte(w) ? NF_EFORMAT : NF_EUNSUPPORTED, w->name,
                       "weights of type %s with %zu scales", eng_dtype_oip(w->dtype), w->quant.n);
    if (quantized && w->quant.n > 1 && w->quant.axis != axis)
        return nf_fail(a->err, NF_EUNSUPPORTED, w->name,
                       "weights of %s are quantized along axis %d, expected %d",
                       ir_op_name(a->node->op), w->quant.axis, axis);
    return NF_OK;
}

/* INT16 activations have a bias of INT64, in some files of INT32. */
static nf_status check_bias(const check_args *a, const ir_tensor *b, const ir_tensor *x)
{
    const eng_dtype dtype = x->dtype == ENG_F32                          ? ENG_F32
                            : x->dtype == ENG_I16 && b->dtype == ENG_I64 ? ENG_I64
                                                                         : ENG_I32;
    const int64_t channels = a->out->dim[a->out->rank - 1];
    size_t n = 0;
    if (b->dtype != dtype)
        return nf_fail(a->err, NF_EFORMAT, b->name, "bias of %s is %s, expected %s",
                       ir_op_name(a->node->op), eng_dtype_oip(b->dtype), eng_dtype_oip(dtype));
    if (!ir_elems(&n, b, 1) || (int64_t)n != channels)
        return nf_fail(a->err, NF_EFORMAT, b->name, "bias has %zu values for %lld channels", n,
                       (long long)channels);
    return NF_OK;
}

static nf_status check_product(const check_args *a)
{
    const ir_tensor *x = input(a, 0), *w = input(a, 1), *b = input(a, 2);
    const bool real = x->dtype == ENG_F32;
    const bool plain = real && w->dtype == ENG_F32; /* then weights may be computed */
    nf_status st;
    if (!plain && (!is_stored(a, 1) || !is_stored(a, 2)))
        return nf_fail(a->err, NF_EUNSUPPORTED, a->out->name,
                       "%s with weights or a bias that the model computes",
                       ir_op_name(a->node->op));
    if (!real && ((st = check_activation(a, x)) || (st = check_activation(a, a->out)))) return st;
    if ((st = check_weights(a, w, a->node->op == IR_DEPTHWISE_CONV_2D ? 3 : 0))) return st;
    if (b && (st = check_bias(a, b, x))) return st;
    if (real) return a->out->dtype == ENG_F32 ? NF_OK : wrong_types(a);
    if (x->dtype != a->out->dtype && x->dtype == ENG_I16) return wrong_types(a);
    if (w->dtype == ENG_F32)
        return nf_fail(a->err, NF_EFORMAT, w->name, "FP32 weights meet %s activations",
                       eng_dtype_oip(x->dtype));
    return NF_OK;
}

static nf_status check_same_type(const check_args *a)
{
    const ir_tensor *x = input(a, 0);
    nf_status st;
    if (x->dtype != a->out->dtype) return wrong_types(a);
    if (x->dtype == ENG_F32) return NF_OK;
    if ((st = check_activation(a, x))) return st;
    return check_activation(a, a->out);
}

/* Ops that move values: scale and zero point go through unchanged. */
static nf_status check_same_quant(const check_args *a)
{
    const ir_quant *p = &input(a, 0)->quant, *q = &a->out->quant;
    if (p->n != 1 || q->n != 1) return NF_OK;
    if (p->zero[0] != q->zero[0] || fabsf(p->scale[0] - q->scale[0]) > 1e-4f * p->scale[0])
        return nf_fail(a->err, NF_EFORMAT, a->out->name, "%s cannot change scale or zero point",
                       ir_op_name(a->node->op));
    return NF_OK;
}

static nf_status check_pool(const check_args *a)
{
    const nf_status st = check_same_type(a);
    return st ? st : check_same_quant(a);
}

static nf_status check_move(const check_args *a)
{
    return input(a, 0)->dtype == a->out->dtype ? check_same_quant(a) : wrong_types(a);
}

static nf_status check_binary(const check_args *a)
{
    return input(a, 0)->dtype == a->out->dtype && input(a, 1)->dtype == a->out->dtype
               ? NF_OK
               : wrong_types(a);
}

static nf_status check_softmax(const check_args *a)
{
    const float beta = a->node->attr.softmax.beta;
    if (!isfinite(beta) || beta <= 0)
        return nf_fail(a->err, NF_EFORMAT, a->out->name, "SOFTMAX has beta %g", (double)beta);
    /* 8 bits may become 16 */
    return a->out->dtype == ENG_I16 && is_byte(input(a, 0)) ? check_activation(a, input(a, 0))
                                                            : check_same_type(a);
}

static nf_status check_quantize(const check_args *a)
{
    const ir_tensor *x = input(a, 0);
    if ((x->dtype != ENG_F32 && !is_int(x)) || !is_int(a->out)) return wrong_types(a);
    if (a->out->quant.n == 0 || (x->dtype != ENG_F32 && x->quant.n == 0))
        return nf_fail(a->err, NF_EFORMAT, a->out->name, "QUANTIZE without a scale");
    return NF_OK;
}

static nf_status check_dequantize(const check_args *a)
{
    const ir_tensor *x = input(a, 0);
    if (!is_int(x) || a->out->dtype != ENG_F32) return wrong_types(a);
    if (x->quant.n == 0) return nf_fail(a->err, NF_EFORMAT, x->name, "DEQUANTIZE without a scale");
    return NF_OK;
}

/* One input, or two of the same type: results of that type. Scales are the kernels' business. */
static nf_status check_elem(const check_args *a)
{
    return input(a, 0)->dtype == a->out->dtype ? NF_OK : wrong_types(a);
}

static nf_status same_pair(const check_args *a)
{
    for (int32_t i = 1; i < a->node->n_in; i++)
        if (input(a, i) && input(a, i)->dtype != input(a, 0)->dtype) return wrong_types(a);
    return NF_OK;
}

/* Every input and result of one type. */
static nf_status check_pair(const check_args *a)
{
    const nf_status st = same_pair(a);
    return st ? st : check_elem(a);
}

/* Inputs of one type, result BOOL. */
static nf_status check_compare(const check_args *a)
{
    const nf_status st = same_pair(a);
    return st ? st : a->out->dtype == ENG_BOOL ? NF_OK : wrong_types(a);
}

/* BOOL to BOOL. */
static nf_status check_logic(const check_args *a)
{
    return input(a, 0)->dtype == ENG_BOOL ? check_pair(a) : wrong_types(a);
}

/* The result is a list of places or sizes. */
static nf_status check_index(const check_args *a)
{
    return a->out->dtype == ENG_I64 || a->out->dtype == ENG_I32 ? NF_OK : wrong_types(a);
}

/* Operand `first + i` of the node is input `at + i` of the body, and the like for its results. */
typedef struct check_body {
    const ir_graph *g;
    int32_t in_first, in_at, out_at; /* out_at: of the body's results, the first of the node's */
    size_t in, out;                  /* how many the body must have in all */
} check_body;

static nf_status check_ends(const check_args *a, const check_body *b)
{
    const ir_graph *g = b->g;
    if (!g || g->n_inputs != b->in || g->n_outputs != b->out)
        return nf_fail(a->err, NF_EFORMAT, a->out->name,
                       "%s: its body takes %zu values and gives "
                       "%zu, expected %zu and %zu",
                       ir_op_name(a->node->op), g ? g->n_inputs : 0, g ? g->n_outputs : 0, b->in,
                       b->out);
    for (int32_t i = b->in_first; i < a->node->n_in; i++) {
        const ir_tensor *x = input(a, i);
        const size_t at = (size_t)(b->in_at + i - b->in_first);
        if (!x || g->tensors[g->inputs[at]].dtype != x->dtype) return wrong_types(a);
    }
    for (int32_t i = 0; b->out_at >= 0 && i < a->node->n_out; i++) {
        const eng_dtype have = g->tensors[g->outputs[b->out_at + i]].dtype;
        if (a->node->out[i] >= 0 && a->g->tensors[a->node->out[i]].dtype != have)
            return wrong_types(a);
    }
    return NF_OK;
}

static bool is_scalar_of(const ir_tensor *t, eng_dtype dtype)
{
    return !t || (t->dtype == dtype && t->rank <= 1);
}

static nf_status check_while(const check_args *a)
{
    const ir_graph *test = ir_body(a->g, a->node, 0);
    const size_t n = (size_t)a->node->n_in;
    nf_status st;
    if (a->node->n_in != a->node->n_out)
        return nf_fail(a->err, NF_EFORMAT, a->out->name, "WHILE carries %d values and gives %d",
                       a->node->n_in, a->node->n_out);
    if ((st = check_ends(a, &(check_body){test, 0, 0, -1, n, 1}))) return st;
    if (test->tensors[test->outputs[0]].dtype != ENG_BOOL) return wrong_types(a);
    return check_ends(a, &(check_body){ir_body(a->g, a->node, 1), 0, 0, 0, n, n});
}

static nf_status check_if(const check_args *a)
{
    const size_t in = (size_t)a->node->n_in - 1, out = (size_t)a->node->n_out;
    nf_status st;
    if (!is_scalar_of(input(a, 0), ENG_BOOL)) return wrong_types(a);
    if ((st = check_ends(a, &(check_body){ir_body(a->g, a->node, 0), 1, 0, 0, in, out}))) return st;
    return check_ends(a, &(check_body){ir_body(a->g, a->node, 1), 1, 0, 0, in, out});
}

static nf_status check_loop(const check_args *a)
{
    const ir_graph *body = ir_body(a->g, a->node, 0);
    const check_body b = {body, 2, 2, 1, (size_t)a->node->n_in, (size_t)a->node->n_out + 1};
    const int32_t kept = a->node->attr.flow.kept;
    nf_status st;
    if ((st = check_ends(a, &b))) return st;
    const bool fits = is_scalar_of(input(a, 0), ENG_I64) && is_scalar_of(input(a, 1), ENG_BOOL) &&
                      kept >= 0 && kept <= a->node->n_in - 2 && kept <= a->node->n_out &&
                      body->tensors[body->inputs[0]].dtype == ENG_I64 &&
                      body->tensors[body->inputs[1]].dtype == ENG_BOOL &&
                      body->tensors[body->outputs[0]].dtype == ENG_BOOL;
    return fits ? NF_OK : wrong_types(a);
}

static nf_status check_scan(const check_args *a)
{
    const ir_graph *body = ir_body(a->g, a->node, 0);
    const check_body b = {body, 0, 0, 0, (size_t)a->node->n_in, (size_t)a->node->n_out};
    const int32_t kept = a->node->attr.flow.kept, sliced = a->node->attr.flow.sliced;
    nf_status st;
    if ((st = check_ends(a, &b))) return st;
    const bool fits = kept >= 0 && sliced > 0 && kept <= a->node->n_out &&
                      sliced <= a->node->n_in && kept <= a->node->n_in - sliced;
    return fits ? NF_OK : wrong_types(a);
}

static nf_status check_flow(const check_args *a)
{
    static const struct {
        ir_op op;
        check_rule rule;
    } rows[] = {
        {IR_IF, check_if}, {IR_WHILE, check_while}, {IR_LOOP, check_loop}, {IR_SCAN, check_scan}};
    for (size_t i = 0; i < NF_COUNT(rows); i++)
        if (rows[i].op == a->node->op) return rows[i].rule(a);
    return wrong_types(a);
}

/* The kernel decides. */
static nf_status check_any(const check_args *a)
{
    (void)a;
    return NF_OK;
}

static const check_rule rules[IR_OP_COUNT] = {
#define X(name, least, most, outs, rule, types) [IR_##name] = check_##types,
    IR_OP_MAP(X)
#undef X
};

nf_status ir_check_node(const ir_graph *g, const ir_node *node, const int32_t *maker, nf_error *err)
{
    const check_args a = {g, node, maker, &g->tensors[node->out[0]], err};
    nf_status st;
    if ((st = check_clamp(&a))) return st;
    return rules[node->op](&a);
}

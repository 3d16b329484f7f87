/* op_quant_deconv.c - TRANSPOSE_CONV and BATCH_MATMUL on quantized values. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

PLAN_PREPARE(plan_q_deconv)
{
    const ir_nd *a = &l->node->attr.nd;
    const ir_tensor *y = plan_out(l, g, 0);
    if (a->n != 2 || a->groups != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name,
                       "quantized TRANSPOSE_CONV over %d axes in %d groups", a->n, a->groups);
    return plan_q_product_prepare(l, g, env, err);
}

/* Padding before the result along axis i. */
static ptrdiff_t before(const ir_nd *a, int i, const plan_shape *x, const plan_shape *y,
                        const plan_shape *w)
{
    const int64_t in = (int64_t)x->dim[i + 1], out = (int64_t)y->dim[i + 1];
    const int32_t kernel = (int32_t)w->dim[i + 1];
    const ir_axis free = ir_nd_transposed(a, i, in, kernel, 0);
    if (!a->size[i] && free.out == out) return free.before;
    return ir_nd_transposed(a, i, in, kernel, out).before;
}

/* Scratch: an image without its zero point. */
PLAN_BIND(plan_bind_q_deconv)
{
    const ir_nd *a = &s->layer->node->attr.nd;
    (void)err;
    s->u.window.batch = in[0].dim[0];
    s->u.window.w = (krn_window){.in_h = in[0].dim[1],
                                 .in_w = in[0].dim[2],
                                 .in_c = in[0].dim[3],
                                 .out_h = out->dim[1],
                                 .out_w = out->dim[2],
                                 .out_c = out->dim[3],
                                 .kernel_h = in[1].dim[1],
                                 .kernel_w = in[1].dim[2],
                                 .stride_h = (size_t)a->stride[0],
                                 .stride_w = (size_t)a->stride[1],
                                 .dilation_h = (size_t)a->dilation[0],
                                 .dilation_w = (size_t)a->dilation[1],
                                 .top = before(a, 0, in, out, &in[1]),
                                 .left = before(a, 1, in, out, &in[1])};
    const krn_window *w = &s->u.window.w;
    s->scratch_bytes = w->in_h * w->in_w * w->in_c * sizeof(int16_t);
    s->macs = (uint64_t)s->u.window.batch * w->in_h * w->in_w * in[1].elems;
    return NF_OK;
}

PLAN_RUN(plan_run_q_deconv)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, size = s->layer->elem_size;
    const size_t out = w->out_h * w->out_w * w->out_c * size;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        krn_q_widen_ref(s->scratch, (const char *)s->a + b * in * size, p->type, p->zero, in);
        krn_q_transpose_conv_ref((char *)s->y + b * out, s->scratch, p->w, w, &p->tail);
    }
}

typedef struct matmul {
    krn_factor factor;
    double real;
    float scale;
    krn_type type, type_b, to;
    int32_t zero_a, zero_b;
    krn_q_tail tail;
} matmul;

PLAN_PREPARE(plan_q_matmul)
{
    const ir_tensor *a = plan_in(l, g, 0), *b = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    matmul *p = nf_alloc(sizeof(*p), NF_MEM_WEIGHTS);
    nf_status st;
    (void)env;
    if (!p) return nf_fail(err, NF_ENOMEM, y->name, "no memory for a layer");
    l->own = p;
    if ((st = plan_q_type(&p->type, a, err)) || (st = plan_q_type(&p->type_b, b, err)) ||
        (st = plan_q_type(&p->to, y, err)))
        return st;
    p->real = (double)(a->quant.scale[0] * b->quant.scale[0]) / (double)y->quant.scale[0];
    p->scale = a->quant.scale[0] * b->quant.scale[0] / y->quant.scale[0];
    p->factor = krn_factor_of(p->real);
    p->zero_a = a->quant.zero[0];
    p->zero_b = b->quant.zero[0];
    if (p->to != p->type || (p->type == KRN_I16 && (p->zero_a || p->zero_b)) ||
        (p->type_b == KRN_I16 && p->zero_b) || !(p->real < 1e4))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "BATCH_MATMUL of %s and %s",
                       eng_dtype_oip(a->dtype), eng_dtype_oip(b->dtype));
    p->tail = (krn_q_tail){.way = p->type == KRN_I16 ? KRN_TAIL_LONG : KRN_TAIL_FIXED,
                           .to = p->to,
                           .factor = &p->factor,
                           .real = &p->real,
                           .scale = &p->scale,
                           .zero = y->quant.zero[0]};
    plan_q_limits(&p->tail.low, &p->tail.high, y, ir_no_clamp());
    return NF_OK;
}

/* The stacks that matrices stand in: all dimensions but the last two. */
typedef struct stacks {
    krn_q_matmul m;
    int rank;
    size_t count, dim[ENG_MAX_RANK], step_a[ENG_MAX_RANK], step_b[ENG_MAX_RANK]; /* in matrices */
} stacks;

static void stack_steps(size_t *step, const plan_shape *x, const stacks *k)
{
    size_t matrices = 1;
    for (int i = k->rank - 1, j = x->rank - 3; i >= 0; i--, j--) {
        const size_t dim = j >= 0 ? x->dim[j] : 1;
        step[i] = dim == 1 ? 0 : matrices;
        matrices *= dim;
    }
}

/* Scratch: both matrices without their zero points. */
PLAN_BIND(plan_bind_q_matmul)
{
    const ir_node *n = s->layer->node;
    const bool ax = n->attr.matmul.adj_x, by = n->attr.matmul.adj_y;
    nf_status st;
    if (in[0].rank < 2 || in[1].rank < 2)
        return nf_fail(err, NF_EUNSUPPORTED, "BATCH_MATMUL",
                       "a side of %d and one of %d dimensions", in[0].rank, in[1].rank);
    if ((st = plan_bind_alloc(s, sizeof(stacks), err))) return st;
    stacks *k = s->bound;
    const size_t *a = in[0].dim + in[0].rank - 2, *b = in[1].dim + in[1].rank - 2;
    k->m = (krn_q_matmul){.m = a[ax],
                          .k = a[!ax],
                          .n = b[!by],
                          .a_row = ax ? 1 : a[1],
                          .a_k = ax ? a[1] : 1,
                          .b_k = by ? 1 : b[1],
                          .b_col = by ? b[1] : 1};
    k->rank = out->rank - 2;
    k->count = 1;
    for (int i = 0; i < k->rank; i++)
        k->count *= k->dim[i] = out->dim[i];
    stack_steps(k->step_a, &in[0], k);
    stack_steps(k->step_b, &in[1], k);
    s->scratch_bytes = (k->m.m + k->m.n) * k->m.k * sizeof(int16_t);
    s->macs = (uint64_t)k->count * k->m.m * k->m.n * k->m.k;
    return NF_OK;
}

static size_t matrix_of(const stacks *k, const size_t *step, size_t i)
{
    size_t at = 0;
    for (int d = k->rank - 1; d >= 0; d--) {
        at += i % k->dim[d] * step[d];
        i /= k->dim[d];
    }
    return at;
}

PLAN_RUN(plan_run_q_matmul)
{
    const matmul *p = s->layer->own;
    const stacks *k = s->bound;
    const size_t a = k->m.m * k->m.k, b = k->m.k * k->m.n, y = k->m.m * k->m.n;
    const size_t size = s->layer->elem_size, size_b = p->type_b == KRN_I16 ? 2 : 1;
    int16_t *wide_a = s->scratch, *wide_b = wide_a + a;
    for (size_t i = 0; i < k->count; i++) {
        krn_q_widen_ref(wide_a, (const char *)s->a + matrix_of(k, k->step_a, i) * a * size, p->type,
                        p->zero_a, a);
        krn_q_widen_ref(wide_b, (const char *)s->b + matrix_of(k, k->step_b, i) * b * size_b,
                        p->type_b, p->zero_b, b);
        krn_q_matmul_ref((char *)s->y + i * y * size, wide_a, wide_b, &k->m, &p->tail);
    }
}

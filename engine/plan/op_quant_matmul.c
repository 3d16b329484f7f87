/* op_quant_matmul.c - BATCH_MATMUL on quantized values. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/quant.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs8_matmul.h"

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
    krn_qs8_matmul *tiles; /* NULL: plain C */
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

/* One factor for all results of a row. */
static krn_factor *same_factors(krn_factor f, size_t n)
{
    krn_factor *all = nf_alloc_array(n, sizeof(*all), NF_MEM_GRAPH);
    for (size_t i = 0; all && i < n; i++)
        all[i] = f;
    return all;
}

/* Fills k->tiles where the CPU has any, and they take this product. */
static nf_status bind_tiles(stacks *k, const plan_step *s, nf_error *err)
{
    const matmul *p = s->layer->own;
    const ir_attr *a = &s->layer->node->attr;
    const krn_qs8_tier *tier = s->layer->qs8.tier;
    const krn_qs8_sides sides = {.m = k->m.m,
                                 .n = k->m.n,
                                 .k = k->m.k,
                                 .adj_a = a->matmul.adj_x,
                                 .adj_b = a->matmul.adj_y,
                                 .a_unsigned = p->type == KRN_U8,
                                 .b_unsigned = p->type_b == KRN_U8,
                                 .out_unsigned = p->to == KRN_U8,
                                 .zero_a = p->zero_a,
                                 .zero_b = p->zero_b};
    if (!tier || p->type == KRN_I16 || p->type_b == KRN_I16 || !k->m.m || !k->m.n || !k->m.k)
        return NF_OK;
    krn_factor *factor = same_factors(p->factor, k->m.n);
    int32_t *bias = nf_alloc_array(k->m.n, sizeof(*bias), NF_MEM_GRAPH);
    const krn_requant r = {.round = KRN_ROUND_FIXED,
                           .factor = factor,
                           .bias = bias,
                           .zero = p->tail.zero,
                           .low = p->tail.low,
                           .high = p->tail.high};
    nf_status st = factor && bias ? NF_OK : NF_ENOMEM;
    const size_t bytes = st ? 0 : krn_qs8_matmul_bytes(tier, &sides, &r);
    const size_t own = krn_round_up(sizeof(*k->tiles), 64);
    if (bytes && !(k->tiles = plan_heap_alloc(s->heap, own + bytes))) st = NF_ENOMEM;
    if (k->tiles) krn_qs8_matmul_pack(k->tiles, tier, &sides, &r, (char *)k->tiles + own);
    nf_free(factor);
    nf_free(bias);
    return st ? nf_fail(err, st, "BATCH_MATMUL", "no memory for %zu columns", k->m.n) : NF_OK;
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

/* A matrix of b that several of a meet is packed once. */
static PLAN_RUN(run_tiles)
{
    const stacks *k = s->bound;
    const size_t a = k->m.m * k->m.k, b = k->m.k * k->m.n, y = k->m.m * k->m.n;
    size_t taken = SIZE_MAX;
    for (size_t i = 0; i < k->count; i++) {
        const size_t at = matrix_of(k, k->step_b, i);
        if (at != taken) krn_qs8_matmul_take(k->tiles, (const uint8_t *)s->b + at * b, s->scratch);
        taken = at;
        krn_qs8_matmul_run((uint8_t *)s->y + i * y,
                           (const uint8_t *)s->a + matrix_of(k, k->step_a, i) * a, k->tiles,
                           s->scratch);
    }
}

/* Scratch: both matrices without their zero points, or what tiles want. */
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
    if ((st = bind_tiles(k, s, err)) || !k->tiles) return st;
    s->scratch_bytes = krn_qs8_matmul_scratch(k->tiles);
    s->run = run_tiles;
    return NF_OK;
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

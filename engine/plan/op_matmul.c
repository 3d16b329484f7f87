/* op_matmul.c - products of two computed sides: float, whole numbers, and 8 bits with zero points.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/gemm.h"
#include "engine/plan/nn.h"
#include "engine/plan/q8.h"

#include "engine/kernels/krn_nn.h"

#include <math.h>
#include <string.h>

/* The matrices of a stack, and where each of them begins in both sides. */
typedef struct stack {
    size_t m, n, k, count;
    bool adj_x, adj_y;
    float alpha;
    size_t size; /* bytes of an element */
    krn_type type, type_b;
    int rank;                                          /* of the stack */
    size_t dim[ENG_MAX_RANK];                          /* of the stack */
    size_t step_a[ENG_MAX_RANK], step_b[ENG_MAX_RANK]; /* in matrices; 0 = repeated */
    size_t zeros_a, zeros_b;                           /* how many zero points; 0 = none */
    size_t at_b;                                       /* of b's copy in the scratch, bytes */
} stack;

PLAN_PREPARE(plan_matmul)
{
    const ir_tensor *a = plan_in(l, g, 0), *b = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const bool known = a->dtype == ENG_F32 || a->dtype == ENG_I32 || a->dtype == ENG_I64 ||
                       a->dtype == ENG_U32 || a->dtype == ENG_U64;
    (void)env;
    if (known && b->dtype == a->dtype && y->dtype == a->dtype) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s and %s to %s", ir_op_name(l->node->op),
                   eng_dtype_oip(a->dtype), eng_dtype_oip(b->dtype), eng_dtype_oip(y->dtype));
}

static bool is_byte(const ir_tensor *t)
{
    return t->dtype == ENG_I8 || t->dtype == ENG_U8;
}

PLAN_PREPARE(plan_matmul_integer)
{
    const ir_tensor *y = plan_out(l, g, 0);
    bool fits = y->dtype == ENG_I32;
    (void)env;
    for (int32_t i = 0; i < 2; i++) {
        const ir_tensor *t = plan_in(l, g, i), *z = plan_in(l, g, i + 2);
        fits = fits && is_byte(t) && (!z || z->dtype == t->dtype);
    }
    if (fits) return plan_pack_integer(l, g, err);
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "MATMUL_INTEGER takes 8-bit values to INT32");
}

/* Steps of one side's stack along the result's; the stack lies in front of the last two axes. */
static void stack_steps(size_t *step, const plan_shape *x, const stack *k)
{
    const int own = x->rank > 2 ? x->rank - 2 : 0;
    size_t matrices = 1;
    for (int i = k->rank - 1, j = own - 1; i >= 0; i--, j--) {
        const size_t dim = j >= 0 ? x->dim[j] : 1;
        step[i] = dim == 1 ? 0 : matrices;
        matrices *= dim;
    }
}

static void bind_sizes(stack *k, const plan_shape *a, const plan_shape *b, const plan_shape *out)
{
    const size_t *ad = a->dim + a->rank - 1, *bd = b->dim + b->rank - 1; /* the last ones */
    k->m = a->rank == 1 ? 1 : k->adj_x ? ad[0] : ad[-1];
    k->k = a->rank == 1 || !k->adj_x ? ad[0] : ad[-1];
    k->n = b->rank == 1 ? 1 : k->adj_y ? bd[-1] : bd[0];
    if (a->rank == 1) k->adj_x = false;
    if (b->rank == 1) k->adj_y = false;
    k->rank = out->rank - (a->rank > 1) - (b->rank > 1);
    k->count = 1;
    for (int i = 0; i < k->rank; i++)
        k->count *= k->dim[i] = out->dim[i];
    stack_steps(k->step_a, a, k);
    stack_steps(k->step_b, b, k);
}

/* Scratch: room for one matrix of each side in the order, or the type, that the product wants. */
PLAN_BIND(plan_bind_matmul)
{
    const plan_layer *l = s->layer;
    const bool integer = l->node->op == IR_MATMUL_INTEGER;
    stack *k;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(*k), err))) return st;
    k = s->bound;
    *k = (stack){.adj_x = !integer && l->node->attr.matmul.adj_x,
                 .adj_y = !integer && l->node->attr.matmul.adj_y,
                 .alpha = integer ? 1 : l->node->attr.matmul.alpha,
                 .size = l->elem_size,
                 .zeros_a = integer && l->node->n_in > 2 ? in[2].elems : 0,
                 .zeros_b = integer && l->node->n_in > 3 ? in[3].elems : 0};
    plan_krn_type(&k->type, plan_in(l, l->owner->g, 0)->dtype);
    plan_krn_type(&k->type_b, plan_in(l, l->owner->g, 1)->dtype);
    bind_sizes(k, &in[0], &in[1], out);
    const size_t a = k->m * k->k, b = k->k * k->n, wide = sizeof(int32_t);
    k->at_b = krn_round_up(integer ? a * wide : k->adj_x ? a * k->size : 0, 64);
    s->scratch_bytes = k->at_b + (integer ? (b + k->m + k->n) * wide : k->adj_y ? b * k->size : 0);
    s->macs = (uint64_t)k->count * k->m * k->n * k->k;
    if (l->q8 && k->zeros_a <= 1) plan_bind_integer(s, in[0].elems / k->k, false);
    return NF_OK;
}

/* Number of the matrix in a side whose stack has these steps. */
static size_t matrix_of(const stack *k, const size_t *step, size_t i)
{
    size_t at = 0;
    for (int d = k->rank - 1; d >= 0; d--) {
        at += i % k->dim[d] * step[d];
        i /= k->dim[d];
    }
    return at;
}

static void multiply(const plan_step *s, char *y, const char *a, const char *b)
{
    const stack *k = s->bound;
    char *swapped_a = s->scratch, *swapped_b = swapped_a + k->at_b;
    if (k->adj_x) {
        krn_swap_ref(swapped_a, a, k->size, k->k, k->m);
        a = swapped_a;
    }
    if (k->adj_y) {
        krn_swap_ref(swapped_b, b, k->size, k->n, k->k);
        b = swapped_b;
    }
    if (k->type != KRN_F32) {
        krn_matmul_ref(y, a, b, k->type, k->m, k->n, k->k);
        return;
    }
    float *to = (float *)(void *)y;
    plan_gemm_f32(s->layer, k->m, k->n, k->k)(to, (const float *)(const void *)a,
                                              (const float *)(const void *)b, k->m, k->n, k->k);
    const krn_f32_operands o = {to, &k->alpha, 1, 0, -INFINITY, INFINITY, 0, 0};
    if (k->alpha != 1) s->layer->f32.binary(to, &o, 1, k->m * k->n, KRN_F32_MUL);
}

PLAN_RUN(plan_run_matmul)
{
    const stack *k = s->bound;
    for (size_t i = 0; i < k->count; i++)
        multiply(s, (char *)s->y + i * k->m * k->n * k->size,
                 (const char *)s->a + matrix_of(k, k->step_a, i) * k->m * k->k * k->size,
                 (const char *)s->b + matrix_of(k, k->step_b, i) * k->k * k->n * k->size);
}

/* Zero points of matrix i as INT32: all of them, one for each of `lines`, or one of all. */
static krn_zeros read_zeros(int32_t *to, const void *from, krn_type type, size_t count,
                            size_t lines, size_t matrix)
{
    const bool each = count > 1 && lines && count % lines == 0;
    to[0] = 0;
    if (each)
        krn_cast_ref(to, KRN_I32, (const char *)from + (matrix * lines) % count, type, lines);
    else if (count)
        krn_cast_ref(to, KRN_I32, from, type, 1);
    return (krn_zeros){to, each, each};
}

PLAN_RUN(plan_run_matmul_integer)
{
    const stack *k = s->bound;
    int32_t *a = s->scratch, *b = (int32_t *)(void *)((char *)s->scratch + k->at_b);
    int32_t *zero_a = b + k->k * k->n, *zero_b = zero_a + k->m;
    for (size_t i = 0; i < k->count; i++) {
        const size_t at_a = matrix_of(k, k->step_a, i), at_b = matrix_of(k, k->step_b, i);
        krn_zeros za = {0}, zb = {0};
        za = read_zeros(zero_a, k->zeros_a ? s->in[2] : NULL, k->type, k->zeros_a, k->m, at_a);
        zb = read_zeros(zero_b, k->zeros_b ? s->in[3] : NULL, k->type_b, k->zeros_b, k->n, at_b);
        za.step_c = zb.step_r = 0;
        krn_widen_i32_ref(a, (const char *)s->a + at_a * k->m * k->k, k->type, k->m, k->k, &za);
        krn_widen_i32_ref(b, (const char *)s->b + at_b * k->k * k->n, k->type_b, k->k, k->n, &zb);
        krn_matmul_ref((int32_t *)s->y + i * k->m * k->n, a, b, KRN_I32, k->m, k->n, k->k);
    }
}

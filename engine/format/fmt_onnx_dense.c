/* fmt_onnx_dense.c - Gemm and MatMul: FULLY_CONNECTED where the right side is stored weights, else
 * BATCH_MATMUL. Layer: format. Thread rule: no shared state. The graph's weights are [out, in]. */
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

static const int swap[] = {1, 0};

typedef struct gemm {
    float alpha, beta;
    int64_t trans_a, trans_b;
} gemm;

static nf_status read_gemm(gemm *a, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    if ((st = fmt_onnx_float(&a->alpha, o, n, "alpha", 1))) return st;
    if ((st = fmt_onnx_float(&a->beta, o, n, "beta", 1))) return st;
    if ((st = fmt_onnx_int(&a->trans_a, o, n, "transA", 0))) return st;
    return fmt_onnx_int(&a->trans_b, o, n, "transB", 0);
}

/* A copy of FP32 weights, each times `factor`: others may use the weights as they are. */
static nf_status scale_weights(int32_t *w, fmt_onnx_ctx *o, float factor)
{
    const ir_tensor *t = &o->g->tensors[*w];
    const int64_t dim[] = {t->dim[0], t->dim[1]};
    nf_status st;
    if (factor == 1) return NF_OK;
    if (!t->data || t->dtype != ENG_F32)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "Gemm scales quantized weights by %g",
                       (double)factor);
    if ((st = fmt_onnx_new_floats(w, o, (const float *)(const void *)t->data, dim, 2))) return st;
    t = &o->g->tensors[*w];
    float *v = (float *)(void *)t->data;
    for (size_t i = 0; i < t->bytes / sizeof(*v); i++)
        v[i] *= factor;
    return NF_OK;
}

/* B as [out, in], times alpha. */
static nf_status read_weights(int32_t *w, fmt_onnx_ctx *o, int32_t value, const gemm *a)
{
    const nf_status st = fmt_onnx_stored(w, o, value, a->trans_b ? NULL : swap);
    return st ? st : scale_weights(w, o, a->alpha);
}

/* True when the right side can be packed at load: a stored matrix of floats, or of what stands for
 * them, that meets floats. */
static bool is_dense(const fmt_onnx_ctx *o, int32_t x, int32_t value, const gemm *a)
{
    const fmt_onnx_const *b = fmt_onnx_stored_head(o, value);
    const bool quantized = b && fmt_onnx_value_of(o, value)->kind == FMT_ONNX_DQ;
    const bool real = b && (b->type == 1 || quantized); /* TensorProto.FLOAT */
    return real && b->rank == 2 && b->dim[0] > 0 && b->dim[1] > 0 && !a->trans_a &&
           (a->alpha == 1 || !quantized) && o->g->tensors[x].dtype == ENG_F32;
}

/* A product of any two sides. */
static nf_status add_matmul(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const gemm *a,
                            bool last)
{
    const ir_attr attr = {
        .matmul = {.adj_x = a->trans_a != 0, .adj_y = a->trans_b != 0, .alpha = a->alpha}};
    int32_t in[2];
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 1)))) return st;
    const eng_dtype dtype = o->g->tensors[in[0]].dtype;
    st = last ? fmt_onnx_out(out, o, n, dtype) : fmt_onnx_temp(out, o, n, ":product", dtype);
    if (st) return st;
    return fmt_onnx_emit(o, IR_BATCH_MATMUL, in, 2, *out, &attr);
}

/* True when C is one row: then it is the bias. */
static bool is_row(const fmt_onnx_const *c, int64_t width)
{
    if (!c || c->rank > 2 || (c->rank == 2 && c->dim[0] != 1)) return false;
    return c->rank == 0 || c->dim[c->rank - 1] == 1 || c->dim[c->rank - 1] == width;
}

static nf_status add_row(int32_t *bias, fmt_onnx_ctx *o, int32_t value, int64_t width, float beta)
{
    const float *c;
    size_t n;
    nf_status st;
    if ((st = fmt_onnx_floats(&c, &n, o, value))) return st;
    if ((st = fmt_onnx_spend(o, (size_t)width * sizeof(float)))) return st;
    float *row = nf_alloc_array((size_t)width, sizeof(*row), NF_MEM_GRAPH);
    if (!row) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a bias");
    for (size_t i = 0; i < (size_t)width; i++)
        row[i] = beta * c[n == 1 ? 0 : i];
    st = fmt_onnx_new_floats(bias, o, row, &width, 1);
    nf_free(row);
    return st;
}

/* The bias of the node: C when it is one row, IR_NONE when it has to be added afterwards. */
static nf_status read_bias(int32_t *bias, fmt_onnx_ctx *o, int32_t value, int64_t width, float beta)
{
    const fmt_onnx_const *c = fmt_onnx_stored_head(o, value);
    *bias = IR_NONE;
    if (value == IR_NONE || !is_row(c, width)) return NF_OK;
    if (fmt_onnx_value_of(o, value)->kind == FMT_ONNX_CONST)
        return add_row(bias, o, value, width, beta);
    const bool plain = beta == 1 && c->rank == 1 && c->dim[0] == width;
    return plain ? fmt_onnx_stored(bias, o, value, NULL) : NF_OK;
}

/* out = product + beta * C */
static nf_status add_matrix(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t product, float beta)
{
    const ir_attr attr = {.binary = {.clamp = ir_no_clamp()}};
    int32_t in[2] = {product}, factor, scaled, out;
    nf_status st;
    if ((st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 2)))) return st;
    if (beta != 1) {
        if ((st = fmt_onnx_new_floats(&factor, o, &beta, NULL, 0))) return st;
        if ((st = fmt_onnx_temp(&scaled, o, n, ":beta", ENG_F32))) return st;
        st = fmt_onnx_emit(o, IR_MUL, (int32_t[]){in[1], factor}, 2, scaled, &attr);
        if (st) return st;
        in[1] = scaled;
    }
    if ((st = fmt_onnx_out(&out, o, n, o->g->tensors[product].dtype))) return st;
    return fmt_onnx_emit(o, IR_ADD, in, 2, out, &attr);
}

/* FULLY_CONNECTED of x, [out, in] weights and an optional bias. */
static nf_status add_dense(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t in[3],
                           bool last)
{
    const ir_attr attr = {.dense = {.clamp = ir_no_clamp(), .keep_dims = true}};
    nf_status st;
    st = last ? fmt_onnx_out(out, o, n, ENG_F32) : fmt_onnx_temp(out, o, n, ":product", ENG_F32);
    if (st) return st;
    return fmt_onnx_emit(o, IR_FULLY_CONNECTED, in, in[2] == IR_NONE ? 2 : 3, *out, &attr);
}

nf_status fmt_onnx_gemm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t c = fmt_onnx_in(o, n, 2);
    int32_t in[3], out;
    gemm a;
    nf_status st;
    if ((st = read_gemm(&a, o, n))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if (o->g->tensors[in[0]].rank != 2)
        return nf_fail(o->err, NF_EFORMAT, o->where, "Gemm of a %d-D input, expected 2-D",
                       o->g->tensors[in[0]].rank);
    if (!is_dense(o, in[0], fmt_onnx_in(o, n, 1), &a)) {
        if ((st = add_matmul(&out, o, n, &a, c == IR_NONE))) return st;
        return c == IR_NONE ? NF_OK : add_matrix(o, n, out, a.beta);
    }
    if ((st = read_weights(&in[1], o, fmt_onnx_in(o, n, 1), &a))) return st;
    if ((st = read_bias(&in[2], o, c, o->g->tensors[in[1]].dim[0], a.beta))) return st;
    const bool last = c == IR_NONE || in[2] != IR_NONE;
    if ((st = add_dense(&out, o, n, in, last))) return st;
    return last ? NF_OK : add_matrix(o, n, out, a.beta);
}

nf_status fmt_onnx_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const gemm plain = {.alpha = 1, .beta = 1};
    int32_t in[3] = {IR_NONE, IR_NONE, IR_NONE}, out;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if (!is_dense(o, in[0], fmt_onnx_in(o, n, 1), &plain))
        return add_matmul(&out, o, n, &plain, true);
    if ((st = read_weights(&in[1], o, fmt_onnx_in(o, n, 1), &plain))) return st;
    return add_dense(&out, o, n, in, true);
}

nf_status fmt_onnx_matmul_integer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[4] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE}, out;
    nf_status st;
    for (size_t i = 0; i < n->n_in; i++)
        if ((i < 2 || fmt_onnx_in(o, n, i) != IR_NONE) &&
            (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    if ((st = fmt_onnx_out(&out, o, n, ENG_I32))) return st;
    return fmt_onnx_emit(o, IR_MATMUL_INTEGER, in, 4, out, NULL);
}

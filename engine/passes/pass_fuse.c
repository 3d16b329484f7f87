/* pass_fuse.c - activations into the op before them; DEQUANTIZE, op, QUANTIZE into one 8-bit op.
 * Layer: passes. */
#include "engine/passes/pass.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs8.h"

#include <math.h>
#include <string.h>

static void fuse_into(ir_node *maker, ir_node *n, ir_clamp *to)
{
    pass_narrow(to, n->attr.clamp.clamp);
    maker->out[0] = n->out[0];
    n->dead = true;
}

nf_status pass_fuse_clamp(ir_graph *g, const eng_options *o, nf_error *err)
{
    pass_index x;
    nf_status st;
    (void)o;
    if ((st = pass_index_init(&x, g, err))) return st;
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || n->op != IR_CLAMP || g->tensors[n->out[0]].dtype != ENG_F32) continue;
        if (x.maker[n->in[0]] < 0 || x.uses[n->in[0]] != 1) continue;
        ir_node *maker = &g->nodes[x.maker[n->in[0]]];
        ir_clamp *clamp = ir_node_clamp(maker);
        if (!clamp) continue;
        fuse_into(maker, n, clamp);
        x.maker[maker->out[0]] = (int32_t)(maker - g->nodes);
    }
    pass_index_fini(&x);
    return NF_OK;
}

static bool same_quant(const ir_tensor *a, const ir_tensor *b)
{
    return a->dtype == b->dtype && a->quant.n == 1 && b->quant.n == 1 &&
           a->quant.scale[0] == b->quant.scale[0] && a->quant.zero[0] == b->quant.zero[0];
}

/* DEQUANTIZE then QUANTIZE to the same numbers changes nothing. */
static void cancel_pairs(ir_graph *g, const pass_index *x)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || n->op != IR_QUANTIZE) continue;
        const ir_node *d = pass_maker(g, x, n, 0, IR_DEQUANTIZE);
        if (!d || !same_quant(&g->tensors[d->in[0]], &g->tensors[n->out[0]])) continue;
        n->in[0] = d->in[0];
        pass_make_view(g, n);
    }
}

static bool is_q8(const ir_tensor *t)
{
    return (t->dtype == ENG_I8 || t->dtype == ENG_U8) && t->quant.n == 1;
}

/* Weights that the 8-bit kernels of op take: constant INT8 about zero, scaled along its outputs. */
static bool fits_weights(const ir_tensor *w, ir_op op)
{
    const int outputs = op == IR_DEPTHWISE_CONV_2D ? 3 : 0;
    size_t all;
    if (!w->data || w->dtype != ENG_I8 || !w->quant.n || outputs >= w->rank) return false;
    if (w->quant.n > 1 && w->quant.axis != outputs) return false;
    if (!ir_elems(&all, w, 1) || all / (size_t)w->dim[outputs] > KRN_QS8_MAX_K) return false;
    for (size_t i = 0; i < w->quant.n; i++)
        if (w->quant.zero[i]) return false;
    return true;
}

/* The real bias of output c, whatever its file kept it as. */
static double real_bias(const ir_tensor *b, size_t c)
{
    if (b->dtype == ENG_F32) return (double)((const float *)(const void *)b->data)[c];
    const size_t q = pass_channel(b, c);
    const int32_t v = ((const int32_t *)(const void *)b->data)[c];
    return ((double)v - b->quant.zero[q]) * (double)b->quant.scale[q];
}

/* Fills t, shaped like b, with the bias in units of input scale times weight scale. */
static nf_status fill_bias(ir_tensor *t, const ir_tensor *b, const ir_tensor *x, const ir_tensor *w,
                           nf_error *err)
{
    size_t n;
    ir_elems(&n, b, 1);
    int32_t *q = nf_alloc_array(n, sizeof(*q), NF_MEM_GRAPH);
    if (!q) return nf_fail(err, NF_ENOMEM, b->name, "no memory for %zu biases", n);
    for (size_t c = 0; c < n; c++) {
        const double step =
            (double)x->quant.scale[0] * (double)w->quant.scale[w->quant.n > 1 ? c : 0];
        const double v = rint(real_bias(b, c) / step);
        q[c] = v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
    }
    t->rank = b->rank;
    memcpy(t->dim, b->dim, sizeof(t->dim));
    const nf_status st = ir_set_data(t, (nf_bytes){(const uint8_t *)q, n * sizeof(*q)}, err);
    nf_free(q);
    return st;
}

/* A new INT32 tensor for the bias of an op that will read x8 and w8. */
static nf_status integer_bias(int32_t *index, ir_graph *g, int32_t bias, int32_t x8, int32_t w8,
                              nf_error *err)
{
    const char *name = g->tensors[bias].name; /* on the heap: stays where it is */
    nf_status st;
    if ((st = ir_spend(g, g->tensors[bias].bytes, err))) return st;
    if ((st = ir_add_tensor(index, g, name, strlen(name), ENG_I32, err))) return st;
    return fill_bias(&g->tensors[*index], &g->tensors[bias], &g->tensors[x8], &g->tensors[w8], err);
}

/* The constant behind input 2 of n, through a DEQUANTIZE if there is one; IR_NONE without bias.
 * False when no integer can stand for it. */
static bool bias_source(int32_t *index, const ir_graph *g, const pass_index *x, const ir_node *n)
{
    *index = n->n_in > 2 ? n->in[2] : IR_NONE;
    if (*index < 0) return true;
    const ir_node *d = pass_maker(g, x, n, 2, IR_DEQUANTIZE);
    if (d) *index = d->in[0];
    const ir_tensor *b = &g->tensors[*index];
    if (!b->data) return false;
    if (b->dtype == ENG_F32)
        return pass_all_finite((const float *)(const void *)b->data, b->bytes / sizeof(float));
    return b->dtype == ENG_I32 && b->quant.n;
}

/* QUANTIZE node q of a product whose operands all come from DEQUANTIZE: the product takes and gives
 * the 8-bit tensors themselves. */
static nf_status fuse_one(ir_graph *g, const pass_index *x, ir_node *q, nf_error *err)
{
    int32_t bias, bias8;
    nf_status st;
    if (x->maker[q->in[0]] < 0 || x->uses[q->in[0]] != 1 || !is_q8(&g->tensors[q->out[0]]))
        return NF_OK;
    ir_node *n = &g->nodes[x->maker[q->in[0]]];
    if (n->dead || !ir_is_product(n->op)) return NF_OK;
    const ir_node *dx = pass_maker(g, x, n, 0, IR_DEQUANTIZE);
    const ir_node *dw = pass_maker(g, x, n, 1, IR_DEQUANTIZE);
    if (!dx || !dw || !is_q8(&g->tensors[dx->in[0]]) ||
        !fits_weights(&g->tensors[dw->in[0]], n->op) || !bias_source(&bias, g, x, n))
        return NF_OK;
    if (bias >= 0) {
        if ((st = integer_bias(&bias8, g, bias, dx->in[0], dw->in[0], err))) return st;
        n->in[2] = bias8;
    }
    n->in[0] = dx->in[0];
    n->in[1] = dw->in[0];
    n->out[0] = q->out[0];
    q->dead = true;
    return NF_OK;
}

nf_status pass_fuse_qdq(ir_graph *g, const eng_options *o, nf_error *err)
{
    pass_index x;
    nf_status st;
    (void)o;
    if ((st = pass_index_init(&x, g, err))) return st;
    cancel_pairs(g, &x);
    for (size_t i = 0; i < g->n_nodes && !st; i++)
        if (!g->nodes[i].dead && g->nodes[i].op == IR_QUANTIZE)
            st = fuse_one(g, &x, &g->nodes[i], err);
    pass_index_fini(&x);
    return st;
}

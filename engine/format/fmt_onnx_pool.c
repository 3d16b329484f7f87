/* fmt_onnx_pool.c - pools and the way back from them. Layer: format. Thread rule: no shared state.
 */
#include "engine/format/fmt_onnx_image.h"
#include "engine/format/fmt_onnx_nn.h"

/* What the quick 2-D ops do: one result, no mix of dilation and padding, no padding of a whole
 * window, no rounded-up window whose padding counts. */
static bool is_plain(const ir_nd *w, bool has_indices)
{
    bool dilated = false, pads = w->pad == IR_PAD_SAME || w->pad == IR_PAD_SAME_LOWER;
    for (int i = 0; i < w->n; i++) {
        dilated |= w->dilation[i] > 1;
        pads |= w->before[i] || w->after[i];
        if (w->kernel[i] == 0 || w->before[i] >= w->kernel[i] || w->after[i] >= w->kernel[i])
            return false;
    }
    return !has_indices && w->n == 2 && !(dilated && pads) &&
           !(w->count_pad && (w->ceil || pads)) && w->kind != IR_POOL_LP;
}

/* Another type of the same values. */
static nf_status add_cast(int32_t *x, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype dtype)
{
    const int32_t from = *x;
    nf_status st;
    if ((st = fmt_onnx_temp(x, o, n, ":cast", dtype))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, *x, NULL);
}

/* A pool of the image x and its results, of `rank` dimensions in ONNX. Bytes without a scale are
 * exact in FP32, so they take that way. */
static nf_status add_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x, const ir_nd *nd,
                          int rank)
{
    const bool indices = n->n_out > 1 && o->refs[n->first + n->n_in + 1].value != IR_NONE;
    const bool plain = is_plain(nd, indices);
    const eng_dtype dtype = o->g->tensors[x].dtype;
    const bool casts = dtype != ENG_F32 && !(plain && o->g->tensors[x].quant.n);
    const ir_op fast = nd->kind == IR_POOL_MAX ? IR_MAX_POOL_2D : IR_AVERAGE_POOL_2D;
    ir_attr attr = {.nd = *nd};
    int32_t out[2];
    nf_status st;
    if (casts && (st = add_cast(&x, o, n, ENG_F32))) return st;
    if (plain) attr.window = fmt_onnx_window(nd);
    if ((st = fmt_onnx_temp(&out[0], o, n, ":pool", o->g->tensors[x].dtype))) return st;
    if (indices && (st = fmt_onnx_temp(&out[1], o, n, ":indices", ENG_I64))) return st;
    st = fmt_onnx_emit_ends(o, plain ? fast : IR_POOL_ND, &(ir_ends){&x, out, 1, indices ? 2 : 1},
                            &attr);
    if (st) return st;
    if (casts && (st = add_cast(&out[0], o, n, dtype))) return st;
    if ((st = fmt_onnx_image_out(o, n, 0, out[0], rank)) || !indices) return st;
    return fmt_onnx_image_out(o, n, 1, out[1], rank);
}

static nf_status read_window(ir_nd *w, fmt_onnx_ctx *o, const fmt_onnx_node *n, int axes)
{
    int64_t ceil_mode, count_pad, p, columns;
    ir_nd nd;
    nf_status st;
    if ((st = fmt_onnx_nd(&nd, o, n, axes))) return st;
    if ((st = fmt_onnx_int(&ceil_mode, o, n, "ceil_mode", 0))) return st;
    if ((st = fmt_onnx_int(&count_pad, o, n, "count_include_pad", 0))) return st;
    if ((st = fmt_onnx_int(&columns, o, n, "storage_order", 0))) return st;
    if ((st = fmt_onnx_int(&p, o, n, "p", 2))) return st;
    if (nd.kernel[0] == 0)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a pool without a kernel_shape");
    nd.ceil = ceil_mode != 0;
    nd.count_pad = count_pad != 0;
    nd.columns = columns != 0;
    nd.p = p > 0 && p < 1000 ? (int32_t)p : 0;
    fmt_onnx_widen(&nd);
    *w = nd;
    return NF_OK;
}

static nf_status read_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_pool kind)
{
    int64_t dim[ENG_MAX_RANK];
    int32_t x;
    int rank;
    ir_nd nd;
    nf_status st;
    if ((st = fmt_onnx_dims(&rank, dim, o, n, 0))) return st;
    if ((st = fmt_onnx_image_in(&x, o, n, 0))) return st;
    if ((st = read_window(&nd, o, n, rank - 2))) return st;
    nd.kind = kind;
    return add_pool(o, n, x, &nd, rank);
}

nf_status fmt_onnx_max_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_pool(o, n, IR_POOL_MAX);
}

nf_status fmt_onnx_average_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_pool(o, n, IR_POOL_MEAN);
}

nf_status fmt_onnx_lp_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_pool(o, n, IR_POOL_LP);
}

/* A window as large as the image. */
static ir_nd whole_window(const ir_tensor *image)
{
    ir_nd nd = {.pad = IR_PAD_VALID, .groups = 1, .n = image->rank - 2};
    for (int i = 0; i < nd.n; i++) {
        const int64_t size = image->dim[i + 1];
        nd.kernel[i] = size > 0 && size <= INT32_MAX ? (int32_t)size : 0;
        nd.stride[i] = nd.dilation[i] = 1;
    }
    return nd;
}

static nf_status read_global(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_pool kind)
{
    int64_t p, dim[ENG_MAX_RANK];
    int32_t x;
    int rank;
    nf_status st;
    if ((st = fmt_onnx_int(&p, o, n, "p", 2))) return st;
    if ((st = fmt_onnx_dims(&rank, dim, o, n, 0))) return st;
    if ((st = fmt_onnx_image_in(&x, o, n, 0))) return st;
    ir_nd nd = whole_window(&o->g->tensors[x]);
    nd.kind = kind;
    nd.p = p > 0 && p < 1000 ? (int32_t)p : 0;
    return add_pool(o, n, x, &nd, rank);
}

nf_status fmt_onnx_mean_of(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x,
                           bool whole)
{
    const int rank = o->g->tensors[x].rank;
    int32_t image, mean;
    ir_nd nd;
    nf_status st;
    if ((st = fmt_onnx_image_of(&image, o, n, x))) return st;
    nd = whole_window(&o->g->tensors[image]);
    if (!whole && (st = read_window(&nd, o, n, rank - 2))) return st;
    nd.kind = IR_POOL_MEAN;
    const bool plain = is_plain(&nd, false);
    ir_attr attr = {.nd = nd};
    if (plain) attr.window = fmt_onnx_window(&nd);
    if ((st = fmt_onnx_temp(&mean, o, n, ":pool", ENG_F32))) return st;
    st = fmt_onnx_emit(o, plain ? IR_AVERAGE_POOL_2D : IR_POOL_ND, &image, 1, mean, &attr);
    return st ? st : fmt_onnx_image_back(y, o, n, mean, rank);
}

nf_status fmt_onnx_global_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_global(o, n, IR_POOL_MEAN);
}

nf_status fmt_onnx_global_max_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_global(o, n, IR_POOL_MAX);
}

nf_status fmt_onnx_global_lp_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_global(o, n, IR_POOL_LP);
}

nf_status fmt_onnx_max_unpool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr;
    int64_t dim[ENG_MAX_RANK];
    int32_t in[3] = {IR_NONE, IR_NONE, IR_NONE}, y;
    int rank;
    nf_status st;
    if ((st = fmt_onnx_dims(&rank, dim, o, n, 0))) return st;
    if ((st = fmt_onnx_nd(&attr.nd, o, n, rank - 2))) return st;
    for (size_t i = 0; i < n->n_in; i++)
        if (fmt_onnx_in(o, n, i) != IR_NONE && (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, IR_MAX_UNPOOL, in, in[2] == IR_NONE ? 2 : 3, y, &attr);
}

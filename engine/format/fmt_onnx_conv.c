/* fmt_onnx_conv.c - convolution and its transpose. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_image.h"
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

/* kernel_shape may repeat what the weights say; it must not say anything else. */
static nf_status check_kernel(fmt_onnx_ctx *o, const ir_nd *w, const int64_t *dim, int rank)
{
    if (rank != w->n + 2)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%d-D weights for an image of %d axes", rank,
                       w->n);
    for (int i = 0; i < w->n; i++)
        if (w->kernel[i] && dim[i + 2] >= 0 && w->kernel[i] != dim[i + 2])
            return nf_fail(o->err, NF_EFORMAT, o->where, "kernel_shape is not that of the weights");
    return NF_OK;
}

/* The image, the window and what the weights of input `at` are. */
static nf_status open_conv(int32_t *x, ir_nd *nd, int64_t *dim, fmt_onnx_ctx *o,
                           const fmt_onnx_node *n, size_t at)
{
    int rank, weights;
    nf_status st;
    if ((st = fmt_onnx_dims(&rank, dim, o, n, 0))) return st;
    if (at == 1 && (st = fmt_onnx_image_in(x, o, n, 0))) return st;
    if ((st = fmt_onnx_nd(nd, o, n, rank - 2))) return st;
    if ((st = fmt_onnx_dims(&weights, dim, o, n, at))) return st;
    return check_kernel(o, nd, dim, weights);
}

/* Adds the node for inputs x, weights and the bias, which may be left out, and the result. */
static nf_status close_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t *in,
                            const ir_attr *attr, int rank)
{
    int32_t y;
    nf_status st;
    in[2] = IR_NONE;
    if (fmt_onnx_in(o, n, 2) != IR_NONE && (st = fmt_onnx_use(&in[2], o, fmt_onnx_in(o, n, 2))))
        return st;
    if ((st = fmt_onnx_temp(&y, o, n, ":conv", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, in, in[2] == IR_NONE ? 2 : 3, y, attr))) return st;
    return fmt_onnx_image_out(o, n, 0, y, rank);
}

nf_status fmt_onnx_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.window = {.groups = 1}};
    ir_nd nd;
    int64_t dim[ENG_MAX_RANK];
    int32_t in[3];
    nf_status st;
    if ((st = open_conv(&in[0], &nd, dim, o, n, 1))) return st;
    const int rank = nd.n + 2;
    const bool depthwise = nd.n < 3 && nd.groups > 1 && dim[1] == 1;
    st = fmt_onnx_weights(&in[1], o, n, depthwise ? FMT_ONNX_DEPTHWISE : FMT_ONNX_FIRST, 1);
    if (st) return st;
    if (nd.n == 3) {
        attr.nd = nd;
        return close_conv(o, n, IR_CONV_ND, in, &attr, rank);
    }
    fmt_onnx_widen(&nd);
    attr.window = fmt_onnx_window(&nd);
    if (depthwise) attr.window.groups = 1;
    return close_conv(o, n, depthwise ? IR_DEPTHWISE_CONV_2D : IR_CONV_2D, in, &attr, rank);
}

nf_status fmt_onnx_conv_transpose(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.nd = {.n = 0}};
    int64_t dim[ENG_MAX_RANK];
    int32_t in[3];
    nf_status st;
    if ((st = open_conv(&in[0], &attr.nd, dim, o, n, 1))) return st;
    const int axes = attr.nd.n;
    if ((st = fmt_onnx_sizes(attr.nd.more, (size_t)axes, o, n, "output_padding", 0))) return st;
    if ((st = fmt_onnx_sizes(attr.nd.size, (size_t)axes, o, n, "output_shape", 0))) return st;
    if ((st = fmt_onnx_weights(&in[1], o, n, FMT_ONNX_SWAPPED, 1))) return st;
    fmt_onnx_widen(&attr.nd);
    return close_conv(o, n, IR_TRANSPOSE_CONV, in, &attr, axes + 2);
}

/* Products of whole numbers; zero points of the image and of the weights may be left out. */
nf_status fmt_onnx_conv_integer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.nd = {.n = 0}};
    int64_t dim[ENG_MAX_RANK];
    int32_t in[4] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE}, y;
    nf_status st;
    if ((st = open_conv(&in[0], &attr.nd, dim, o, n, 1))) return st;
    const int axes = attr.nd.n;
    fmt_onnx_widen(&attr.nd);
    if ((st = fmt_onnx_weights(&in[1], o, n, FMT_ONNX_FIRST, 1))) return st;
    for (size_t i = 2; i < 4; i++)
        if (fmt_onnx_in(o, n, i) != IR_NONE && (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    if ((st = fmt_onnx_temp(&y, o, n, ":conv", ENG_I32))) return st;
    if ((st = fmt_onnx_emit(o, IR_CONV_INTEGER, in, 4, y, &attr))) return st;
    return fmt_onnx_image_out(o, n, 0, y, axes + 2);
}

/* bias * scale of x * scale of the weights, as floats; all of them stored. */
static nf_status real_bias(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_const *c;
    const float *x, *w;
    size_t count, n_x, n_w;
    nf_status st;
    if ((st = fmt_onnx_floats(&x, &n_x, o, fmt_onnx_in(o, n, 1)))) return st;
    if ((st = fmt_onnx_floats(&w, &n_w, o, fmt_onnx_in(o, n, 4)))) return st;
    if ((st = fmt_onnx_content(&c, &count, o, fmt_onnx_in(o, n, 8)))) return st;
    const bool fits = c->type == 6 && n_x == 1 && (n_w == 1 || n_w == count); /* INT32 */
    if (!fits) return nf_fail(o->err, NF_EFORMAT, o->where, "a bias that does not fit its scales");
    if ((st = fmt_onnx_spend(o, count * sizeof(float)))) return st;
    float *b = nf_alloc_array(count + 1, sizeof(*b), NF_MEM_GRAPH);
    if (!b) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a bias");
    for (size_t i = 0; i < count; i++)
        b[i] = (float)((const int32_t *)(const void *)c->data)[i] * (x[0] * w[n_w == 1 ? 0 : i]);
    st = fmt_onnx_new_floats(out, o, b, (int64_t[]){(int64_t)count}, 1);
    nf_free(b);
    return st;
}

/* x, weights as floats that a pass takes back. */
static nf_status open_qlinear(int32_t in[2], ir_nd *nd, bool *depthwise, fmt_onnx_ctx *o,
                              const fmt_onnx_node *n)
{
    int64_t dim[ENG_MAX_RANK];
    int32_t x, w;
    nf_status st;
    if ((st = open_conv(&x, nd, dim, o, n, 3))) return st;
    if ((st = fmt_onnx_real(&x, o, n, 0, 0))) return st;
    if ((st = fmt_onnx_image_of(&in[0], o, n, x))) return st;
    *depthwise = nd->n < 3 && nd->groups > 1 && dim[1] == 1;
    st = fmt_onnx_weights(&w, o, n, *depthwise ? FMT_ONNX_DEPTHWISE : FMT_ONNX_FIRST, 3);
    if (st) return st;
    const fmt_onnx_linear p = {fmt_onnx_in(o, n, 4), fmt_onnx_in(o, n, 5), *depthwise ? 3 : 0, 0};
    if ((st = fmt_onnx_temp(&in[1], o, n, ":weights_fp32", ENG_F32))) return st;
    return fmt_onnx_dequantize_to(o, &p, w, in[1]);
}

/* x, its scale and zero point, weights, theirs, those of the result, bias? */
nf_status fmt_onnx_qlinear_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_linear to = {fmt_onnx_in(o, n, 6), fmt_onnx_in(o, n, 7), 0, 0};
    ir_attr attr = {.window = {.groups = 1}};
    int32_t in[3], y, q;
    eng_dtype dtype;
    ir_nd nd;
    bool depthwise;
    nf_status st;
    if ((st = open_qlinear(in, &nd, &depthwise, o, n))) return st;
    const int rank = nd.n + 2;
    const bool has_bias = fmt_onnx_in(o, n, 8) != IR_NONE;
    if (has_bias && (st = real_bias(&in[2], o, n))) return st;
    fmt_onnx_widen(&nd);
    if (nd.n == 3)
        attr.nd = nd;
    else
        attr.window = fmt_onnx_window(&nd);
    if (depthwise) attr.window.groups = 1;
    const ir_op op = nd.n == 3 ? IR_CONV_ND : depthwise ? IR_DEPTHWISE_CONV_2D : IR_CONV_2D;
    if ((st = fmt_onnx_temp(&y, o, n, ":conv", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, in, has_bias ? 3 : 2, y, &attr))) return st;
    if ((st = fmt_onnx_zero_type(&dtype, o, to.zero))) return st;
    if ((st = fmt_onnx_temp(&q, o, n, ":quantized", dtype))) return st;
    if ((st = fmt_onnx_quantize_to(o, &to, y, q))) return st;
    return fmt_onnx_image_out(o, n, 0, q, rank);
}

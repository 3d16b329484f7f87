/* fmt_onnx_conv.c - convolution, pooling and batch normalization. Layer: format. Thread rule: no
 * shared state. ONNX images are NCHW and its weights [out, in, kh, kw]; the graph's are NHWC and
 * [out, kh, kw, in], so there is a TRANSPOSE before and behind each of these; a pass removes those
 * that meet. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

#include <math.h>

static const int to_last[] = {0, 2, 3, 1};  /* NCHW -> NHWC, and weights */
static const int to_first[] = {0, 3, 1, 2}; /* NHWC -> NCHW */
static const int to_depthwise[] = {1, 2, 3, 0};

static nf_status add_transpose(fmt_onnx_ctx *o, int32_t from, int32_t to, const int *perm)
{
    ir_attr attr = {.transpose = {.rank = 4}};
    memcpy(attr.transpose.perm, perm, 4 * sizeof(*perm));
    return fmt_onnx_emit(o, IR_TRANSPOSE, &from, 1, to, &attr);
}

/* Input 0, which has to be a 4-D image, as NHWC. */
static nf_status image_in(int32_t *image, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    const ir_tensor *t = &o->g->tensors[x];
    if (t->rank != 4)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a %d-D input: only 2-D images", t->rank);
    if ((st = fmt_onnx_temp(image, o, n, ":nhwc_in", t->dtype))) return st;
    return add_transpose(o, x, *image, to_last);
}

/* The node's result from an NHWC image. */
static nf_status image_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t image)
{
    int32_t y;
    nf_status st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[image].dtype))) return st;
    return add_transpose(o, image, y, to_first);
}

/* A list of `want` numbers from least to INT32_MAX; `absent` when the attribute is not there. */
static nf_status read_sizes(int32_t *out, size_t want, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name, int32_t absent)
{
    int64_t list[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    const int64_t least = strcmp(name, "pads") == 0 ? 0 : 1;
    if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, name))) return st;
    if (count && count != want)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%s has %zu numbers, expected %zu", name,
                       count, want);
    for (size_t i = 0; i < want; i++) {
        const int64_t v = count ? list[i] : absent;
        if (v < least || v > INT32_MAX)
            return nf_fail(o->err, NF_EFORMAT, o->where, "%s has the number %lld", name,
                           (long long)v);
        out[i] = (int32_t)v;
    }
    return NF_OK;
}

static nf_status read_auto_pad(ir_pad *out, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const struct {
        const char *name;
        ir_pad pad;
    } kinds[] = {{"NOTSET", IR_PAD_EXPLICIT},
                 {"VALID", IR_PAD_VALID},
                 {"SAME_UPPER", IR_PAD_SAME},
                 {"SAME_LOWER", IR_PAD_SAME_LOWER}};
    nf_span text;
    const nf_status st = fmt_onnx_text(&text, o, n, "auto_pad");
    *out = IR_PAD_EXPLICIT;
    if (st || !text.s) return st;
    for (size_t i = 0; i < NF_COUNT(kinds); i++) {
        if (!nf_span_is(text, kinds[i].name)) continue;
        *out = kinds[i].pad;
        return NF_OK;
    }
    return nf_fail(o->err, NF_EFORMAT, o->where, "unknown auto_pad");
}

/* Strides, dilations and pads, which convolution and pooling have in common. */
static nf_status read_window(ir_window *w, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t stride[2], dilation[2], pads[4];
    nf_status st;
    *w = (ir_window){.groups = 1, .clamp = ir_no_clamp()};
    if ((st = read_auto_pad(&w->pad, o, n))) return st;
    if ((st = read_sizes(stride, 2, o, n, "strides", 1))) return st;
    if ((st = read_sizes(dilation, 2, o, n, "dilations", 1))) return st;
    if ((st = read_sizes(pads, 4, o, n, "pads", 0))) return st;
    w->stride_h = stride[0];
    w->stride_w = stride[1];
    w->dilation_h = dilation[0];
    w->dilation_w = dilation[1];
    if (w->pad != IR_PAD_EXPLICIT) return NF_OK;
    w->top = pads[0];
    w->left = pads[1];
    w->bottom = pads[2];
    w->right = pads[3];
    return NF_OK;
}

/* kernel_shape may repeat what the weights say; it must not say anything else. */
static nf_status check_kernel(fmt_onnx_ctx *o, const fmt_onnx_node *n, const fmt_onnx_const *w)
{
    int64_t kernel[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    if (w->rank != 4)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%d-D weights: only 2-D images", w->rank);
    if ((st = fmt_onnx_ints(kernel, &count, ENG_MAX_RANK, o, n, "kernel_shape"))) return st;
    if (count && (count != 2 || kernel[0] != w->dim[2] || kernel[1] != w->dim[3]))
        return nf_fail(o->err, NF_EFORMAT, o->where, "kernel_shape is not that of the weights");
    return NF_OK;
}

/* Reads the weights into the layout of the op that fits the number of groups. */
static nf_status read_conv_weights(ir_op *op, int32_t *w, ir_window *window, fmt_onnx_ctx *o,
                                   const fmt_onnx_node *n, int64_t channels)
{
    const fmt_onnx_const *head = fmt_onnx_stored_head(o, fmt_onnx_in(o, n, 1));
    int64_t groups;
    nf_status st;
    if (!head) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "weights that the model computes");
    if ((st = check_kernel(o, n, head))) return st;
    if ((st = fmt_onnx_int(&groups, o, n, "group", 1))) return st;
    if (groups < 1 || groups > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld groups", (long long)groups);
    const bool depthwise = groups > 1 && groups == channels && head->dim[1] == 1;
    *op = depthwise ? IR_DEPTHWISE_CONV_2D : IR_CONV_2D;
    window->groups = depthwise ? 1 : (int32_t)groups;
    return fmt_onnx_stored(w, o, fmt_onnx_in(o, n, 1), depthwise ? to_depthwise : to_last);
}

nf_status fmt_onnx_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.window = {.groups = 1}};
    int32_t in[3], y, n_in = 2;
    ir_op op;
    nf_status st;
    if ((st = image_in(&in[0], o, n))) return st;
    if ((st = read_window(&attr.window, o, n))) return st;
    st = read_conv_weights(&op, &in[1], &attr.window, o, n, o->g->tensors[in[0]].dim[3]);
    if (st) return st;
    if (fmt_onnx_in(o, n, 2) != IR_NONE) {
        if ((st = fmt_onnx_stored(&in[2], o, fmt_onnx_in(o, n, 2), NULL))) return st;
        n_in = 3;
    }
    if ((st = fmt_onnx_temp(&y, o, n, ":nhwc", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, in, n_in, y, &attr))) return st;
    return image_out(o, n, y);
}

static nf_status add_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t x,
                          const ir_attr *attr)
{
    int32_t y;
    nf_status st;
    if ((st = fmt_onnx_temp(&y, o, n, ":nhwc", o->g->tensors[x].dtype))) return st;
    if ((st = fmt_onnx_emit(o, op, &x, 1, y, attr))) return st;
    return image_out(o, n, y);
}

static nf_status read_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    ir_attr attr = {.window = {.groups = 1}};
    int64_t ceil_mode, count_pad;
    int32_t kernel[2], x;
    nf_status st;
    if ((st = image_in(&x, o, n))) return st;
    if ((st = read_window(&attr.window, o, n))) return st;
    if ((st = fmt_onnx_int(&ceil_mode, o, n, "ceil_mode", 0))) return st;
    if ((st = fmt_onnx_int(&count_pad, o, n, "count_include_pad", 0))) return st;
    if ((st = read_sizes(kernel, 2, o, n, "kernel_shape", 0))) return st;
    attr.window.kernel_h = kernel[0];
    attr.window.kernel_w = kernel[1];
    attr.window.ceil = ceil_mode != 0;
    attr.window.count_pad = count_pad != 0;
    return add_pool(o, n, op, x, &attr);
}

nf_status fmt_onnx_max_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_pool(o, n, IR_MAX_POOL_2D);
}

nf_status fmt_onnx_average_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_pool(o, n, IR_AVERAGE_POOL_2D);
}

nf_status fmt_onnx_global_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.window = {.pad = IR_PAD_VALID,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .groups = 1,
                               .clamp = ir_no_clamp()}};
    int32_t x;
    nf_status st;
    if ((st = image_in(&x, o, n))) return st;
    const int64_t *dim = o->g->tensors[x].dim;
    if (dim[1] > INT32_MAX || dim[2] > INT32_MAX)
        return nf_fail(o->err, NF_ETOOLARGE, o->where, "an image of %lldx%lld", (long long)dim[1],
                       (long long)dim[2]);
    attr.window.kernel_h = (int32_t)dim[1];
    attr.window.kernel_w = (int32_t)dim[2];
    return add_pool(o, n, IR_AVERAGE_POOL_2D, x, &attr);
}

/* y = factor * x + offset, from scale, bias, mean and variance of each channel. */
static nf_status fold_norm(float *factor, float *offset, size_t channels, fmt_onnx_ctx *o,
                           const fmt_onnx_node *n)
{
    const float *v[4];
    float epsilon;
    nf_status st;
    if ((st = fmt_onnx_float(&epsilon, o, n, "epsilon", 1e-5f))) return st;
    for (size_t i = 0; i < 4; i++) {
        size_t count;
        if ((st = fmt_onnx_floats(&v[i], &count, o, fmt_onnx_in(o, n, i + 1)))) return st;
        if (count != channels)
            return nf_fail(o->err, NF_EFORMAT, o->where, "a parameter has %zu values, expected %zu",
                           count, channels);
    }
    for (size_t c = 0; c < channels; c++) {
        factor[c] = v[0][c] / sqrtf(v[3][c] + epsilon);
        offset[c] = v[1][c] - v[2][c] * factor[c];
    }
    return NF_OK;
}

/* MUL and ADD of constants of shape `dim`, which has one dimension of all channels. */
static nf_status add_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x, int32_t y,
                          const int64_t *dim, int rank)
{
    const ir_attr attr = {.binary = {.clamp = ir_no_clamp()}};
    int64_t channels = 1;
    int32_t k, b, mid;
    nf_status st;
    for (int i = 0; i < rank; i++)
        channels *= dim[i];
    if ((st = fmt_onnx_spend(o, (size_t)channels * 8))) return st;
    float *fold = nf_alloc_array((size_t)channels, 2 * sizeof(*fold), NF_MEM_GRAPH);
    if (!fold)
        return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %lld channels",
                       (long long)channels);
    if ((st = fold_norm(fold, fold + channels, (size_t)channels, o, n))) goto done;
    if ((st = fmt_onnx_new_floats(&k, o, fold, dim, rank))) goto done;
    if ((st = fmt_onnx_new_floats(&b, o, fold + channels, dim, rank))) goto done;
    if ((st = fmt_onnx_temp(&mid, o, n, ":scaled", ENG_F32))) goto done;
    if ((st = fmt_onnx_emit(o, IR_MUL, (int32_t[]){x, k}, 2, mid, &attr))) goto done;
    st = fmt_onnx_emit(o, IR_ADD, (int32_t[]){mid, b}, 2, y, &attr);
done:
    nf_free(fold);
    return st;
}

nf_status fmt_onnx_batch_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t training, dim[ENG_MAX_RANK];
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_int(&training, o, n, "training_mode", 0))) return st;
    if (training)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "BatchNormalization in training mode");
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    const int rank = o->g->tensors[x].rank;
    if (rank < 2)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a %d-D input has no channels", rank);
    if (rank == 4) {
        if ((st = image_in(&x, o, n))) return st;
        if ((st = fmt_onnx_temp(&y, o, n, ":nhwc", ENG_F32))) return st;
        dim[0] = o->g->tensors[x].dim[3];
        if ((st = add_norm(o, n, x, y, dim, 1))) return st;
        return image_out(o, n, y);
    }
    for (int i = 0; i < rank - 1; i++)
        dim[i] = i ? 1 : o->g->tensors[x].dim[1];
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return add_norm(o, n, x, y, dim, rank - 1);
}

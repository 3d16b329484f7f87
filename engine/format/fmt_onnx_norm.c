/* fmt_onnx_norm.c - normalization. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_image.h"
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

#include <math.h>

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

/* All inputs as they are; epsilon. */
static nf_status add_plain(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, ir_attr *attr)
{
    int32_t in[5], y;
    nf_status st;
    if ((st = fmt_onnx_float(&attr->norm.epsilon, o, n, "epsilon", 1e-5f))) return st;
    for (size_t i = 0; i < n->n_in; i++) {
        in[i] = IR_NONE;
        if ((i == 0 || fmt_onnx_in(o, n, i) != IR_NONE) &&
            (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    }
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, op, in, (int32_t)n->n_in, y, attr);
}

static nf_status add_computed(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    ir_attr attr = {.norm = {.groups = 0}};
    return add_plain(o, n, op, &attr);
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
    for (size_t i = 1; i < 5; i++) {
        const fmt_onnx_value *v = fmt_onnx_value_of(o, fmt_onnx_in(o, n, i));
        if (!v || v->kind != FMT_ONNX_CONST || o->g->tensors[x].dim[1] < 0)
            return add_computed(o, n, IR_BATCH_NORM);
    }
    if (rank == 4) {
        if ((st = fmt_onnx_image_in(&x, o, n, 0))) return st;
        if ((st = fmt_onnx_temp(&y, o, n, ":nhwc", ENG_F32))) return st;
        dim[0] = o->g->tensors[x].dim[3];
        if ((st = add_norm(o, n, x, y, dim, 1))) return st;
        return fmt_onnx_image_out(o, n, 0, y, 4);
    }
    for (int i = 0; i < rank - 1; i++)
        dim[i] = i ? 1 : o->g->tensors[x].dim[1];
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return add_norm(o, n, x, y, dim, rank - 1);
}

nf_status fmt_onnx_instance_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_computed(o, n, IR_GROUP_NORM);
}

nf_status fmt_onnx_group_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.norm = {.groups = 0}};
    int64_t groups;
    nf_status st;
    if ((st = fmt_onnx_int(&groups, o, n, "num_groups", 0))) return st;
    if (groups < 1 || groups > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld groups", (long long)groups);
    attr.norm.groups = (int32_t)groups;
    return add_plain(o, n, IR_GROUP_NORM, &attr);
}

/* axis from -rank to rank - 1. */
static nf_status read_axis(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, int64_t absent)
{
    int64_t axis;
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", absent))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    const int rank = o->g->tensors[x].rank;
    if (axis < -rank || axis >= rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NF_OK;
}

/* x, scale and bias, which may be left out; also the mean and 1 / deviation where asked for. */
static nf_status add_layer_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n, bool rms)
{
    ir_attr attr = {.norm = {.rms = rms}};
    int32_t in[3], out[3];
    const size_t n_in = n->n_in < 3 ? n->n_in : 3;
    nf_status st;
    if ((st = read_axis(&attr.norm.axis, o, n, -1))) return st;
    if ((st = fmt_onnx_float(&attr.norm.epsilon, o, n, "epsilon", 1e-5f))) return st;
    for (size_t i = 0; i < n_in; i++) {
        in[i] = IR_NONE;
        if (fmt_onnx_in(o, n, i) != IR_NONE && (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    }
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_onnx_out_at(&out[i], o, n, i, ENG_F32))) return st;
    if (out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":y", ENG_F32))) return st;
    const int32_t n_out = out[2] != IR_NONE ? 3 : out[1] != IR_NONE ? 2 : 1;
    return fmt_onnx_emit_ends(o, IR_LAYER_NORM, &(ir_ends){in, out, (int32_t)n_in, n_out}, &attr);
}

nf_status fmt_onnx_layer_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_layer_norm(o, n, false);
}

nf_status fmt_onnx_rms_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_layer_norm(o, n, true);
}

static nf_status add_axis_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op,
                               const ir_attr *attr)
{
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, op, &x, 1, y, attr);
}

nf_status fmt_onnx_mvn(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.norm = {.epsilon = 1e-9f}};
    int64_t axes[ENG_MAX_RANK];
    size_t count;
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_ints(axes, &count, ENG_MAX_RANK, o, n, "axes"))) return st;
    const int rank = o->g->tensors[x].rank;
    if (count == 0) attr.norm.axes = 13; /* all but the channels */
    for (size_t i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (axis < 0 || axis >= rank)
            return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d", (long long)axes[i],
                           rank);
        attr.norm.axes |= 1u << axis;
    }
    return add_axis_norm(o, n, IR_MEAN_VARIANCE_NORM, &attr);
}

nf_status fmt_onnx_lrn(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.norm = {.axis = 1}};
    int64_t size;
    nf_status st;
    if ((st = fmt_onnx_int(&size, o, n, "size", 1))) return st;
    if ((st = fmt_onnx_float(&attr.norm.alpha, o, n, "alpha", 1e-4f))) return st;
    if ((st = fmt_onnx_float(&attr.norm.beta, o, n, "beta", 0.75f))) return st;
    if ((st = fmt_onnx_float(&attr.norm.bias, o, n, "bias", 1))) return st;
    if (size < 1 || size > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "LRN of %lld neighbours", (long long)size);
    attr.norm.before = (int32_t)((size - 1) / 2);
    attr.norm.after = (int32_t)(size / 2);
    attr.norm.alpha /= (float)size;
    return add_axis_norm(o, n, IR_LOCAL_RESPONSE_NORMALIZATION, &attr);
}

nf_status fmt_onnx_lp_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.norm = {.axis = 0}};
    int64_t p;
    nf_status st;
    if ((st = read_axis(&attr.norm.axis, o, n, -1))) return st;
    if ((st = fmt_onnx_int(&p, o, n, "p", 2))) return st;
    if (p != 1 && p != 2)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a norm of order %lld", (long long)p);
    attr.norm.p = (int32_t)p;
    return add_axis_norm(o, n, IR_LP_NORM, &attr);
}

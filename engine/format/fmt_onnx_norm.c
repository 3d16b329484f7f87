/* fmt_onnx_norm.c - normalization. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_image.h"

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

/* fmt_onnx_resize.c - Resize and its forerunner Upsample. Layer: format. Thread rule: no shared
 * state. */
#include "engine/format/fmt_onnx_nn.h"

typedef struct word {
    const char *name;
    int value;
} word;

static const word modes[] = {{"nearest", IR_NEAREST},
                             {"linear", IR_LINEAR},
                             {"bilinear", IR_LINEAR},
                             {"cubic", IR_CUBIC},
                             {NULL, 0}};
static const word places[] = {{"half_pixel", IR_PLACE_HALF_PIXEL},
                              {"pytorch_half_pixel", IR_PLACE_PYTORCH_HALF_PIXEL},
                              {"align_corners", IR_PLACE_ALIGN_CORNERS},
                              {"asymmetric", IR_PLACE_ASYMMETRIC},
                              {"half_pixel_symmetric", IR_PLACE_HALF_PIXEL_SYMMETRIC},
                              {"tf_crop_and_resize", IR_PLACE_CROP},
                              {"tf_half_pixel_for_nn", IR_PLACE_HALF_PIXEL_NN},
                              {NULL, 0}};
static const word rounds[] = {{"round_prefer_floor", IR_ROUND_PREFER_FLOOR},
                              {"round_prefer_ceil", IR_ROUND_PREFER_CEIL},
                              {"floor", IR_ROUND_FLOOR},
                              {"ceil", IR_ROUND_CEIL},
                              {NULL, 0}};
static const word aspects[] = {{"stretch", IR_STRETCH},
                               {"not_larger", IR_NOT_LARGER},
                               {"not_smaller", IR_NOT_SMALLER},
                               {NULL, 0}};

/* Value of the word that the attribute has; the first one's when it is not there. */
static nf_status read_word(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                           const word *words)
{
    nf_span text;
    const nf_status st = fmt_onnx_text(&text, o, n, name);
    *out = words[0].value;
    if (st || !text.s) return st;
    for (; words->name; words++) {
        if (!nf_span_is(text, words->name)) continue;
        *out = words->value;
        return NF_OK;
    }
    return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "unknown %s", name);
}

static nf_status read_axes(ir_resize *r, fmt_onnx_ctx *o, const fmt_onnx_node *n, int rank)
{
    int64_t axes[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    if ((st = fmt_onnx_ints(axes, &count, ENG_MAX_RANK, o, n, "axes"))) return st;
    for (size_t i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (axis < 0 || axis >= rank)
            return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d", (long long)axes[i],
                           rank);
        r->axes[i] = (int)axis;
    }
    r->n_axes = (int)count;
    return NF_OK;
}

static nf_status read_options(ir_resize *r, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t exclude, antialias;
    int mode, place, nearest, aspect;
    nf_status st;
    if ((st = read_word(&mode, o, n, "mode", modes))) return st;
    if ((st = read_word(&place, o, n, "coordinate_transformation_mode", places))) return st;
    if ((st = read_word(&nearest, o, n, "nearest_mode", rounds))) return st;
    if ((st = read_word(&aspect, o, n, "keep_aspect_ratio_policy", aspects))) return st;
    if ((st = fmt_onnx_int(&exclude, o, n, "exclude_outside", 0))) return st;
    if ((st = fmt_onnx_int(&antialias, o, n, "antialias", 0))) return st;
    if ((st = fmt_onnx_float(&r->cubic, o, n, "cubic_coeff_a", -0.75f))) return st;
    if ((st = fmt_onnx_float(&r->outside, o, n, "extrapolation_value", 0))) return st;
    r->mode = (ir_resize_mode)mode;
    r->place = (ir_place)place;
    r->nearest = (ir_nearest)nearest;
    r->aspect = (ir_aspect)aspect;
    r->exclude = exclude != 0;
    r->antialias = antialias != 0 && r->mode != IR_NEAREST;
    return NF_OK;
}

/* An input that is there and not empty: old files write an empty list for none. */
static nf_status take(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    nf_status st;
    *out = IR_NONE;
    if (fmt_onnx_in(o, n, i) == IR_NONE) return NF_OK;
    if ((st = fmt_onnx_use(out, o, fmt_onnx_in(o, n, i)))) return st;
    const ir_tensor *t = &o->g->tensors[*out];
    if (t->rank == 1 && t->dim[0] == 0) *out = IR_NONE;
    return NF_OK;
}

static nf_status add_resize(fmt_onnx_ctx *o, const fmt_onnx_node *n, const int32_t in[4],
                            const ir_attr *attr)
{
    int32_t y;
    const nf_status st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype);
    if (st) return st;
    return fmt_onnx_emit(o, IR_RESIZE, in, in[3] == IR_NONE ? 3 : 4, y, attr);
}

nf_status fmt_onnx_resize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.resize = {.n_axes = 0}};
    int32_t in[4] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE};
    nf_status st;
    if (o->opset < 11) return fmt_onnx_upsample(o, n);
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = read_options(&attr.resize, o, n))) return st;
    if ((st = read_axes(&attr.resize, o, n, o->g->tensors[in[0]].rank))) return st;
    for (size_t i = 1; i < 4; i++)
        if ((st = take(&in[i], o, n, i))) return st;
    if (attr.resize.place != IR_PLACE_CROP) in[1] = IR_NONE;
    return add_resize(o, n, in, &attr);
}

/* Scales are an input, before opset 9 an attribute; pixels are not centred. */
nf_status fmt_onnx_upsample(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.resize = {.place = IR_PLACE_ASYMMETRIC, .nearest = IR_ROUND_FLOOR}};
    int32_t in[4] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE};
    float scales[ENG_MAX_RANK];
    size_t count;
    int mode;
    nf_status st;
    if ((st = read_word(&mode, o, n, "mode", modes))) return st;
    attr.resize.mode = (ir_resize_mode)mode;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_reals(scales, &count, ENG_MAX_RANK, o, n, "scales"))) return st;
    if (count)
        st = fmt_onnx_new_floats(&in[2], o, scales, (int64_t[]){(int64_t)count}, 1);
    else
        st = fmt_onnx_use(&in[2], o, fmt_onnx_in(o, n, 1));
    return st ? st : add_resize(o, n, in, &attr);
}

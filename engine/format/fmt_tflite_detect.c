/* fmt_tflite_detect.c - TensorFlow Lite's operators that choose boxes, and the custom operators.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/flexbuf.h"
#include "engine/format/fmt_tflite.h"

/* Results: places, their scores (only V5), how many. */
static nf_status read_nms(fmt_tfl *t, const fmt_tfl_op *op)
{
    const bool scored = op->row->outs == 3;
    int32_t in[6], out[3] = {IR_NONE, IR_NONE, IR_NONE};
    nf_status st;
    if (op->out.n != op->row->outs)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "%s with %zu results",
                       fmt_tfl_name(op->row->code), op->out.n);
    for (size_t i = 0; i < op->in.n; i++)
        if ((st = fmt_tfl_tensor(&in[i], t, fmt_vec_i32(op->in, i)))) return st;
    for (size_t i = 0; i < op->out.n; i++)
        if ((st = fmt_tfl_tensor(&out[i == 1 && !scored ? 2 : i], t, fmt_vec_i32(op->out, i))))
            return st;
    const ir_ends ends = {in, out, (int32_t)op->in.n, 3};
    return ir_add_node_ends(&(ir_node *){NULL}, t->g, IR_NON_MAX_SUPPRESSION_V5, &ends, t->err);
}

static bool whole(int32_t *out, fmt_flex *f, const char *key, double absent)
{
    const double v = fmt_flex_number(f, key, absent);
    const bool fits = v >= 1 && v <= INT32_MAX;
    *out = fits ? (int32_t)v : 0;
    return fits;
}

static nf_status read_detect_options(ir_attr *attr, fmt_tfl *t, nf_bytes custom)
{
    static const char *const scales[] = {"y_scale", "x_scale", "h_scale", "w_scale"};
    fmt_flex f = fmt_flex_open(custom);
    bool good = whole(&attr->detect.most, &f, "max_detections", 0);
    good = whole(&attr->detect.per_box, &f, "max_classes_per_detection", 0) && good;
    good = whole(&attr->detect.per_class, &f, "detections_per_class", 100) && good;
    good = whole(&attr->detect.classes, &f, "num_classes", 0) && good;
    attr->detect.regular = fmt_flex_number(&f, "use_regular_nms", 0) != 0;
    attr->detect.score = (float)fmt_flex_number(&f, "nms_score_threshold", 0);
    attr->detect.iou = (float)fmt_flex_number(&f, "nms_iou_threshold", 0);
    for (int i = 0; i < 4; i++) {
        attr->detect.scale[i] = (float)fmt_flex_number(&f, scales[i], 0);
        good = good && attr->detect.scale[i] > 0;
    }
    good = good && attr->detect.iou > 0 && attr->detect.iou <= 1;
    return good && !f.bad ? NF_OK
                          : nf_fail(t->err, NF_EFORMAT, "tflite",
                                    "TFLite_Detection_PostProcess with %s options",
                                    f.bad ? "broken" : "wrong");
}

/* The operand as floats. */
static nf_status real_end(int32_t *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i)
{
    int32_t from;
    nf_status st;
    if ((st = fmt_tfl_tensor(&from, t, fmt_vec_i32(op->in, i)))) return st;
    *out = from;
    if (!t->g->tensors[from].quant.n) return NF_OK;
    if ((st = fmt_tfl_temp(out, t, ":real", ENG_F32))) return st;
    return ir_add_node(&(ir_node *){NULL}, t->g, IR_DEQUANTIZE, &from, 1, *out, t->err);
}

static nf_status read_detect(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int32_t in[3], out[4];
    ir_node *node;
    nf_status st;
    if (op->out.n != 4)
        return nf_fail(t->err, NF_EFORMAT, "tflite",
                       "TFLite_Detection_PostProcess with %zu results, expected 4", op->out.n);
    if ((st = read_detect_options(&attr, t, op->custom))) return st;
    for (size_t i = 0; i < 3; i++)
        if ((st = real_end(&in[i], t, op, i))) return st;
    for (size_t i = 0; i < 4; i++)
        if ((st = fmt_tfl_tensor(&out[i], t, fmt_vec_i32(op->out, i)))) return st;
    const ir_ends ends = {in, out, 3, 4};
    if ((st = ir_add_node_ends(&node, t->g, IR_DETECTION_POSTPROCESS, &ends, t->err))) return st;
    node->attr = attr;
    return NF_OK;
}

const fmt_tfl_row fmt_tfl_detect_rows[] = {
    /* code, options, inputs, results, reader */
    {120, 95, 5, 5, 2, read_nms}, /* NON_MAX_SUPPRESSION_V4 */
    {121, 96, 6, 6, 3, read_nms}, /* NON_MAX_SUPPRESSION_V5 */
    {.read = NULL},
};

const fmt_tfl_custom fmt_tfl_custom_rows[] = {
    {"TFLite_Detection_PostProcess", {FMT_TFL_CUSTOM, 0, 3, 3, 4, read_detect}},
    {.name = NULL},
};

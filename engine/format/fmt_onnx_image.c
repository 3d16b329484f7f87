/* fmt_onnx_image.c - images, weights and windows of ONNX in the graph's layouts. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_onnx_image.h"

static const int last_2d[] = {0, 2, 3, 1}, last_3d[] = {0, 2, 3, 4, 1};
static const int first_2d[] = {0, 3, 1, 2}, first_3d[] = {0, 4, 1, 2, 3};
static const int swapped_2d[] = {1, 2, 3, 0}, swapped_3d[] = {1, 2, 3, 4, 0};

static nf_status add_transpose(fmt_onnx_ctx *o, int32_t from, int32_t to, const int *perm, int rank)
{
    ir_attr attr = {.transpose = {.rank = rank}};
    memcpy(attr.transpose.perm, perm, (size_t)rank * sizeof(*perm));
    return fmt_onnx_emit(o, IR_TRANSPOSE, &from, 1, to, &attr);
}

/* [a, b, w] -> [a, b, 1, w] */
static nf_status add_height(int32_t *x, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr attr = {.reshape = {.rank = 4, .dim = {0, 0, 1, -1}}};
    const int32_t from = *x;
    nf_status st;
    if ((st = fmt_onnx_temp(x, o, n, ":2d", o->g->tensors[from].dtype))) return st;
    return fmt_onnx_emit(o, IR_RESHAPE, &from, 1, *x, &attr);
}

nf_status fmt_onnx_image_in(int32_t *image, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    int32_t x;
    const nf_status st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, i));
    return st ? st : fmt_onnx_image_of(image, o, n, x);
}

nf_status fmt_onnx_image_of(int32_t *image, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x)
{
    nf_status st;
    const int rank = o->g->tensors[x].rank;
    if (rank < 3 || rank > 5)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "a %d-D input: only images of 1 to 3 axes", rank);
    if (rank == 3 && (st = add_height(&x, o, n))) return st;
    if ((st = fmt_onnx_temp(image, o, n, ":last", o->g->tensors[x].dtype))) return st;
    return add_transpose(o, x, *image, rank == 5 ? last_3d : last_2d, rank == 5 ? 5 : 4);
}

/* From an image with its channels last to y, of `rank` dimensions. */
static nf_status turn_back(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t image, int rank,
                           int32_t y)
{
    const ir_attr flat = {.reshape = {.rank = 3, .dim = {0, 0, -1}}};
    const eng_dtype dtype = o->g->tensors[image].dtype;
    int32_t to = y;
    nf_status st;
    if (rank == 3 && (st = fmt_onnx_temp(&to, o, n, ":first", dtype))) return st;
    st = add_transpose(o, image, to, rank == 5 ? first_3d : first_2d, rank == 5 ? 5 : 4);
    return st || rank != 3 ? st : fmt_onnx_emit(o, IR_RESHAPE, &to, 1, y, &flat);
}

nf_status fmt_onnx_image_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int32_t image,
                             int rank)
{
    int32_t y;
    const nf_status st = fmt_onnx_out_at(&y, o, n, i, o->g->tensors[image].dtype);
    return st || y == IR_NONE ? st : turn_back(o, n, image, rank, y);
}

nf_status fmt_onnx_image_back(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t image,
                              int rank)
{
    const nf_status st = fmt_onnx_temp(y, o, n, ":nchw", o->g->tensors[image].dtype);
    return st ? st : turn_back(o, n, image, rank, *y);
}

nf_status fmt_onnx_dims(int *rank, int64_t *dim, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    const fmt_onnx_const *c = fmt_onnx_stored_head(o, fmt_onnx_in(o, n, i));
    int32_t x;
    nf_status st;
    if (c) {
        *rank = c->rank;
        memcpy(dim, c->dim, sizeof(c->dim));
        return NF_OK;
    }
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, i)))) return st;
    *rank = o->g->tensors[x].rank;
    memcpy(dim, o->g->tensors[x].dim, sizeof(o->g->tensors[x].dim));
    return NF_OK;
}

/* A stored constant; one of three dimensions is looked at as one of four. */
static nf_status stored(int32_t *w, fmt_onnx_ctx *o, int32_t value, const int *perm)
{
    fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    fmt_onnx_const *c = v->kind == FMT_ONNX_DQ ? &o->values[v->source].c : &v->c;
    const int rank = c->rank;
    if (rank != 3) return fmt_onnx_stored(w, o, value, perm);
    const int64_t width = c->dim[2];
    if (v->kind == FMT_ONNX_DQ && v->axis < 0) v->axis += rank;
    c->rank = 4;
    c->dim[3] = width;
    c->dim[2] = 1;
    const nf_status st = fmt_onnx_stored(w, o, value, perm);
    c->rank = rank;
    c->dim[2] = width;
    c->dim[3] = 0;
    return st;
}

nf_status fmt_onnx_weights(int32_t *w, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                           fmt_onnx_order order, size_t i)
{
    const int32_t value = fmt_onnx_in(o, n, i);
    int64_t dim[ENG_MAX_RANK];
    int32_t x;
    int rank;
    nf_status st;
    if ((st = fmt_onnx_dims(&rank, dim, o, n, i))) return st;
    if (rank < 3 || rank > 5)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%d-D weights", rank);
    const bool swap = order != FMT_ONNX_FIRST;
    const int *perm = rank == 5 ? (swap ? swapped_3d : last_3d) : swap ? swapped_2d : last_2d;
    if (fmt_onnx_stored_head(o, value)) return stored(w, o, value, perm);
    if ((st = fmt_onnx_use(&x, o, value))) return st;
    if (rank == 3 && (st = add_height(&x, o, n))) return st;
    if ((st = fmt_onnx_temp(w, o, n, ":weights", o->g->tensors[x].dtype))) return st;
    return add_transpose(o, x, *w, perm, rank == 5 ? 5 : 4);
}

nf_status fmt_onnx_sizes(int32_t *out, size_t want, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                         const char *name, int32_t absent)
{
    int64_t list[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    const bool zero = strstr(name, "pad") || strstr(name, "output");
    const int64_t least = zero ? 0 : 1;
    if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, name))) return st;
    if (count && count != want)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%s has %zu numbers, expected %zu", name,
                       count, want);
    for (size_t i = 0; i < want; i++) {
        const int64_t v = count ? list[i] : absent;
        if (count && (v < least || v > INT32_MAX))
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

nf_status fmt_onnx_nd(ir_nd *w, fmt_onnx_ctx *o, const fmt_onnx_node *n, int axes)
{
    int32_t pads[2 * IR_SPACE];
    const size_t size = (size_t)axes;
    int64_t groups;
    nf_status st;
    if (axes < 1 || axes > IR_SPACE)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "a %d-D input: only images of 1 to 3 axes", axes + 2);
    *w = (ir_nd){.n = axes};
    if ((st = read_auto_pad(&w->pad, o, n))) return st;
    if ((st = fmt_onnx_sizes(w->stride, size, o, n, "strides", 1))) return st;
    if ((st = fmt_onnx_sizes(w->dilation, size, o, n, "dilations", 1))) return st;
    if ((st = fmt_onnx_sizes(w->kernel, size, o, n, "kernel_shape", 0))) return st;
    if ((st = fmt_onnx_sizes(pads, 2 * size, o, n, "pads", 0))) return st;
    if ((st = fmt_onnx_int(&groups, o, n, "group", 1))) return st;
    if (groups < 1 || groups > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld groups", (long long)groups);
    w->groups = (int32_t)groups;
    for (int i = 0; i < axes && w->pad == IR_PAD_EXPLICIT; i++) {
        w->before[i] = pads[i];
        w->after[i] = pads[axes + i];
    }
    return NF_OK;
}

static void push(int32_t *list, int32_t first)
{
    list[1] = list[0];
    list[0] = first;
}

void fmt_onnx_widen(ir_nd *w)
{
    if (w->n != 1) return;
    w->n = 2;
    push(w->kernel, 1);
    push(w->stride, 1);
    push(w->dilation, 1);
    push(w->before, 0);
    push(w->after, 0);
    push(w->more, 0);
    push(w->size, w->size[0] ? 1 : 0);
}

ir_window fmt_onnx_window(const ir_nd *w)
{
    return (ir_window){.pad = w->pad,
                       .kernel_h = w->kernel[0],
                       .kernel_w = w->kernel[1],
                       .stride_h = w->stride[0],
                       .stride_w = w->stride[1],
                       .dilation_h = w->dilation[0],
                       .dilation_w = w->dilation[1],
                       .top = w->before[0],
                       .left = w->before[1],
                       .bottom = w->after[0],
                       .right = w->after[1],
                       .groups = w->groups,
                       .count_pad = w->count_pad,
                       .ceil = w->ceil,
                       .clamp = ir_no_clamp()};
}

/* shape_space.c - the shape rules of windows over 1 to 3 axes. Layer: ir. Thread rule: no shared
 * state. Images are [n, axes.., channels], weights [out, axes.., in / groups]. */
#include "engine/ir/shape.h"

ir_axis ir_nd_axis(const ir_nd *w, int i, int64_t in, int32_t kernel)
{
    const ir_window one = {.pad = w->pad,
                           .stride_h = w->stride[i],
                           .dilation_h = w->dilation[i],
                           .top = w->before[i],
                           .bottom = w->after[i],
                           .ceil = w->ceil};
    return ir_window_axis(&one, true, in, kernel);
}

ir_axis ir_nd_transposed(const ir_nd *w, int i, int64_t in, int32_t kernel, int64_t asked)
{
    const int64_t extent = (int64_t)(kernel - 1) * w->dilation[i] + 1;
    const bool same = w->pad == IR_PAD_SAME || w->pad == IR_PAD_SAME_LOWER;
    if (in < 0) return (ir_axis){asked ? asked : IR_FREE, 0, 0};
    const int64_t full = w->stride[i] * (in - 1) + w->more[i] + extent;
    int64_t before = w->before[i], after = w->after[i];
    if (w->pad == IR_PAD_VALID) before = after = 0;
    if (asked || same) { /* what is too much is cut off on both sides */
        const int64_t out = asked ? asked : in * w->stride[i];
        const int64_t total = full - out, less = total > 0 ? total / 2 : 0;
        before = w->pad == IR_PAD_SAME ? less : total - less;
        if (total <= 0 || w->pad == IR_PAD_VALID) before = 0;
        after = total - before;
    }
    const int64_t out = full - before - after;
    if (out < 1 || out > INT32_MAX || before > INT32_MAX || after > INT32_MAX || after < INT32_MIN)
        return (ir_axis){0};
    return (ir_axis){out, (int32_t)before, (int32_t)after};
}

static nf_status check_nd(const ir_rule *a, int image)
{
    const ir_nd *w = &a->node->attr.nd;
    bool bad = w->n < 1 || w->n > IR_SPACE || w->groups < 1;
    for (int i = 0; !bad && i < w->n; i++)
        bad = w->stride[i] < 1 || w->dilation[i] < 1 || w->before[i] < 0 || w->after[i] < 0 ||
              w->more[i] < 0 || w->size[i] < 0;
    if (bad)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "%s has a stride, dilation, padding, group or number of axes out of range",
                       ir_op_name(a->node->op));
    return ir_rule_rank(a, image, w->n + 2, w->n + 2);
}

/* kernel[i] from weights [?, kernel.., ?]. */
static nf_status read_kernel(int32_t *kernel, const ir_rule *a)
{
    const ir_nd *w = &a->node->attr.nd;
    const ir_tensor *weights = ir_rule_in(a, 1);
    nf_status st;
    if ((st = check_nd(a, 0)) || (st = check_nd(a, 1))) return st;
    for (int i = 0; i < w->n; i++) {
        const int64_t k = weights->dim[i + 1];
        if (k < 1 || k > INT32_MAX / w->dilation[i])
            return nf_fail(a->err, k < 0 ? NF_EUNSUPPORTED : NF_EFORMAT, a->where,
                           "%s with a kernel of %lld", ir_op_name(a->node->op), (long long)k);
        kernel[i] = (int32_t)k;
    }
    return NF_OK;
}

static nf_status no_fit(const ir_rule *a, int i)
{
    return nf_fail(a->err, NF_EFORMAT, a->where, "the window of %s does not fit axis %d",
                   ir_op_name(a->node->op), i);
}

static nf_status check_channels(const ir_rule *a)
{
    const ir_nd *w = &a->node->attr.nd;
    const int last = w->n + 1;
    const int64_t c = ir_rule_in(a, 0)->dim[last], out = ir_rule_in(a, 1)->dim[0];
    const int64_t in = ir_rule_in(a, 1)->dim[last];
    if (c < 1 || out < 1 || in < 1)
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s of an open number of channels",
                       ir_op_name(a->node->op));
    if (c % w->groups != 0 || in != c / w->groups)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "%s weights of %lld channels in %d groups do not fit %lld",
                       ir_op_name(a->node->op), (long long)in, w->groups, (long long)c);
    return NF_OK;
}

IR_RULE(conv_nd)
{
    const ir_nd *w = &a->node->attr.nd;
    int32_t kernel[IR_SPACE];
    nf_status st;
    if ((st = read_kernel(kernel, a)) || (st = check_channels(a))) return st;
    ir_rule_copy(out, a, 0);
    out->dim[w->n + 1] = ir_rule_in(a, 1)->dim[0];
    if (out->dim[w->n + 1] % w->groups != 0) return no_fit(a, w->n);
    for (int i = 0; i < w->n; i++)
        if ((out->dim[i + 1] = ir_nd_axis(w, i, out->dim[i + 1], kernel[i]).out) == 0)
            return no_fit(a, i);
    return NF_OK;
}

/* The result's sizes that are asked for: by the attribute, or by input 3 [n, axes.., channels].
 * Those that are not known yet are IR_FREE. */
static nf_status read_asked(int64_t *asked, const ir_rule *a)
{
    const ir_nd *w = &a->node->attr.nd;
    int64_t list[ENG_MAX_RANK];
    size_t n;
    bool known;
    nf_status st;
    for (int i = 0; i < w->n; i++)
        asked[i] = w->size[i];
    if (!ir_rule_in(a, 3)) return NF_OK;
    if ((st = ir_rule_ints(list, &n, &known, ENG_MAX_RANK, a, 3))) return st;
    if (known && n != (size_t)w->n + 2)
        return nf_fail(a->err, NF_EFORMAT, a->where, "a shape of %zu numbers for %d axes", n, w->n);
    for (int i = 0; i < w->n; i++) {
        asked[i] = known ? list[i + 1] : IR_FREE;
        if (known && (asked[i] < 1 || asked[i] > INT32_MAX)) return no_fit(a, i);
    }
    return NF_OK;
}

IR_RULE(transpose_conv)
{
    const ir_nd *w = &a->node->attr.nd;
    int64_t asked[IR_SPACE];
    int32_t kernel[IR_SPACE];
    nf_status st;
    if ((st = read_kernel(kernel, a)) || (st = read_asked(asked, a))) return st;
    const int last = w->n + 1;
    const ir_tensor *x = ir_rule_in(a, 0), *weights = ir_rule_in(a, 1);
    if (x->dim[last] < 1 || x->dim[last] != weights->dim[last] || x->dim[last] % w->groups != 0)
        return no_fit(a, w->n);
    ir_rule_copy(out, a, 0);
    out->dim[last] = ir_dim_mul(weights->dim[0], w->groups);
    for (int i = 0; i < w->n; i++) {
        const int64_t in = out->dim[i + 1];
        out->dim[i + 1] =
            asked[i] == IR_FREE ? IR_FREE : ir_nd_transposed(w, i, in, kernel[i], asked[i]).out;
        if (out->dim[i + 1] == 0) return no_fit(a, i);
    }
    return NF_OK;
}

IR_RULE(pool_nd)
{
    const ir_nd *w = &a->node->attr.nd;
    nf_status st;
    if ((st = check_nd(a, 0))) return st;
    ir_rule_copy(out, a, 0);
    for (int i = 0; i < w->n; i++) {
        if (w->kernel[i] < 0 || w->kernel[i] > INT32_MAX / w->dilation[i]) return no_fit(a, i);
        if (w->kernel[i] == 0) { /* the whole axis */
            out->dim[i + 1] = 1;
            continue;
        }
        /* a window of nothing but padding would have neither a maximum nor a mean */
        const int64_t extent = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
        if (w->before[i] >= extent || w->after[i] >= extent) return no_fit(a, i);
        out->dim[i + 1] = ir_nd_axis(w, i, out->dim[i + 1], w->kernel[i]).out;
        if (out->dim[i + 1] == 0) return no_fit(a, i);
    }
    if (a->node->n_out > 1) {
        out[1] = out[0];
        ir_rule_mix(&out[1]); /* an index counts the rows before its own */
    }
    return NF_OK;
}

/* [n, c, axes..]: what the pool with these parameters was taken of, or the shape in input 2. */
IR_RULE(unpool)
{
    const ir_nd *w = &a->node->attr.nd;
    int64_t list[ENG_MAX_RANK];
    size_t n;
    bool known;
    nf_status st;
    if ((st = check_nd(a, 0)) || (st = check_nd(a, 1))) return st;
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    for (int i = 0; i < w->n; i++) {
        const int64_t in = out->dim[i + 2];
        out->dim[i + 2] = ir_dim_add(ir_dim_mul(in - 1, w->stride[i]), w->kernel[i]);
        if (out->dim[i + 2] >= 0) out->dim[i + 2] -= w->before[i] + w->after[i];
        if (in >= 0 && out->dim[i + 2] < 1) return no_fit(a, i);
    }
    if (!ir_rule_in(a, 2)) return NF_OK;
    if ((st = ir_rule_ints(list, &n, &known, ENG_MAX_RANK, a, 2))) return st;
    if (known && n != (size_t)out->rank) return no_fit(a, w->n);
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = known ? list[i] : IR_FREE;
        if (known && list[i] < 1) return no_fit(a, i);
    }
    return NF_OK;
}

/* op_integer.c - MATMUL_INTEGER and CONV_INTEGER by the 8-bit tiles: sums of bytes, from which the
 * zero point is taken off afterwards. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"
#include "engine/plan/space.h"

#include "engine/base/mem.h"

/* Zero points that are not there, or are constant and 0. */
static bool no_zeros(const ir_tensor *z)
{
    bool none = !z || z->data;
    for (size_t i = 0; z && none && i < z->bytes; i++)
        none = ((const uint8_t *)z->data)[i] == 0;
    return none;
}

/* Weights with their `inner` axis where the tiles want the other one. NULL: no memory. */
static int8_t *turned_weights(const int8_t *w, size_t outer, size_t inner)
{
    int8_t *to = nf_alloc_array(outer, inner, NF_MEM_WEIGHTS);
    for (size_t i = 0; to && i < outer * inner; i++)
        to[i % inner * outer + i / inner] = w[i];
    return to;
}

static nf_status pack_turned(plan_layer *l, const ir_graph *g, krn_qs8_source *s, size_t outer,
                             bool depth, nf_error *err)
{
    const ir_tensor *w = plan_in(l, g, 1);
    int8_t *turned = turned_weights((const int8_t *)w->data, outer, w->bytes / outer);
    if (!turned) return nf_fail(err, NF_ENOMEM, w->name, "no memory for its weights");
    s->w = turned;
    const nf_status st = plan_pack_source(l, g, s, depth, err);
    nf_free(turned);
    return st;
}

static nf_status pack_matrix(plan_layer *l, const ir_graph *g, krn_qs8_source *s, nf_error *err)
{
    const ir_tensor *w = plan_in(l, g, 1);
    if (w->rank != 2) return NF_OK;
    const size_t k = (size_t)w->dim[0], n = (size_t)w->dim[1];
    s->window = (krn_window){1, 1, k, 1, 1, n, 1, 1, 1, 1, 1, 1, 0, 0};
    return pack_turned(l, g, s, k, false, err);
}

static krn_window window_of(const plan_layer *l, const ir_graph *g)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const int32_t kernel[2] = {(int32_t)w->dim[1], (int32_t)w->dim[2]};
    plan_shape in, out;
    krn_space s;
    for (int i = 1; i < 4; i++) {
        in.dim[i] = (size_t)x->dim[i];
        out.dim[i] = (size_t)y->dim[i];
    }
    plan_space_bind(&s, &l->node->attr.nd, &in, &out, kernel);
    return (krn_window){.in_h = s.in[1],
                        .in_w = s.in[2],
                        .in_c = in.dim[3],
                        .out_h = s.out[1],
                        .out_w = s.out[2],
                        .out_c = out.dim[3],
                        .kernel_h = s.kernel[1],
                        .kernel_w = s.kernel[2],
                        .stride_h = s.stride[1],
                        .stride_w = s.stride[2],
                        .dilation_h = s.dilation[1],
                        .dilation_w = s.dilation[2],
                        .top = s.before[1],
                        .left = s.before[2]};
}

static nf_status pack_image(plan_layer *l, const ir_graph *g, krn_qs8_source *s, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    if (l->node->attr.nd.n != 2 || x->rank != 4 || plan_is_open(x) || plan_is_open(y)) return NF_OK;
    s->window = window_of(l, g);
    s->groups = (size_t)l->node->attr.nd.groups;
    if (s->groups == 1 || s->groups != s->window.in_c || s->groups != s->window.out_c)
        return plan_pack_source(l, g, s, false, err);
    return pack_turned(l, g, s, (size_t)w->dim[0], true, err);
}

nf_status plan_pack_integer(plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1);
    if (!l->qs8.tier || w->dtype != ENG_I8 || !w->data || !w->bytes || !no_zeros(plan_in(l, g, 3)))
        return NF_OK;
    krn_qs8_source s = {
        .w = (const int8_t *)w->data, .groups = 1, .is_unsigned = x->dtype == ENG_U8};
    return (l->node->op == IR_MATMUL_INTEGER ? pack_matrix : pack_image)(l, g, &s, err);
}

/* Scratch: what is taken off each output, then that of the product. */
static size_t bytes_of(size_t n)
{
    return krn_round_up(n * sizeof(int32_t), 64);
}

static void take_off(int32_t *y, const plan_step *s, size_t rows, size_t n, int32_t zero)
{
    const int32_t *weights = s->layer->q8->out.weights;
    int32_t *off = s->scratch;
    if (!zero) return;
    for (size_t c = 0; c < n; c++)
        off[c] = zero * weights[c];
    for (size_t r = 0; r < rows; r++, y += n)
        for (size_t c = 0; c < n; c++)
            y[c] -= off[c];
}

static int32_t zero_of(const plan_step *s)
{
    const plan_layer *l = s->layer;
    const bool is_unsigned = plan_in(l, l->owner->g, 0)->dtype == ENG_U8;
    const bool has_zero = plan_in(l, l->owner->g, 2);
    return has_zero ? krn_q8(*(const uint8_t *)s->in[2], is_unsigned) : 0;
}

static void run_matrix(const plan_step *s)
{
    const krn_qs8_conv *c = &s->layer->q8->conv;
    const size_t n = c->window.out_c;
    const int32_t zero = zero_of(s);
    krn_qs8_conv_sums(s->y, s->a, c, s->u.dense.rows, zero, (char *)s->scratch + bytes_of(n));
    take_off(s->y, s, s->u.dense.rows, n, zero);
}

static void run_images(const plan_step *s)
{
    const struct plan_q8 *q = s->layer->q8;
    const krn_window *w = q->is_depth ? &q->depth.window : &q->conv.window;
    const size_t in = w->in_h * w->in_w * w->in_c, pixels = w->out_h * w->out_w;
    const int32_t zero = zero_of(s);
    void *rest = (char *)s->scratch + bytes_of(w->out_c);
    for (size_t b = 0; b < s->u.dense.rows; b++) {
        const uint8_t *x = (const uint8_t *)s->a + b * in;
        int32_t *y = (int32_t *)s->y + b * pixels * w->out_c;
        if (q->is_depth)
            krn_qs8_depth_sums(y, x, &q->depth, zero, rest);
        else
            krn_qs8_conv_sums(y, x, &q->conv, pixels, zero, rest);
        take_off(y, s, pixels, w->out_c, zero);
    }
}

void plan_bind_integer(plan_step *s, size_t rows, bool is_image)
{
    const struct plan_q8 *q = s->layer->q8;
    const krn_window *w = q->is_depth ? &q->depth.window : &q->conv.window;
    s->run = is_image ? run_images : run_matrix;
    s->u.dense.rows = rows;
    s->scratch_bytes =
        bytes_of(w->out_c) +
        (q->is_depth ? krn_qs8_depth_scratch(&q->depth)
                     : krn_qs8_conv_scratch(&q->conv, is_image ? w->out_h * w->out_w : rows));
}

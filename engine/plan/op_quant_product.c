/* op_quant_product.c - products on INT16 activations, on weights with a zero point, and depthwise
 * ones of floats on 8-bit weights. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"
#include "engine/plan/quant.h"
#include "engine/plan/window.h"

#include "engine/base/mem.h"

/* Weights without their zero point, in the file's order. */
static nf_status widen_weights(plan_q_product *p, const ir_tensor *w, nf_error *err)
{
    krn_type type;
    size_t n;
    if (!w->data || !plan_krn_type(&type, w->dtype) || (type != KRN_I8 && type != KRN_U8) ||
        !w->quant.n || !ir_elems(&n, w, 1))
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "needs constant weights of 8 bits");
    p->w = nf_alloc_array(n, sizeof(*p->w), NF_MEM_WEIGHTS);
    if (!p->w) return nf_fail(err, NF_ENOMEM, w->name, "no memory for %zu weights", n);
    size_t inner = 1; /* elements behind the quantized axis */
    for (int i = w->quant.axis + 1; i < w->rank; i++)
        inner *= (size_t)w->dim[i];
    for (size_t i = 0; i < n; i++) {
        const int32_t zero = w->quant.zero[w->quant.n > 1 ? i / inner % w->quant.n : 0];
        p->w[i] = (int16_t)(krn_q_get(w->data, type, i) - zero);
    }
    return NF_OK;
}

static nf_status widen_bias(plan_q_product *p, const ir_tensor *b, size_t n, nf_error *err)
{
    if (!b) return NF_OK;
    size_t have;
    const bool wide = b->dtype == ENG_I64;
    if (!b->data || (!wide && b->dtype != ENG_I32) || !ir_elems(&have, b, 1) || have != n)
        return nf_fail(err, NF_EUNSUPPORTED, b->name, "bias of %s", eng_dtype_oip(b->dtype));
    p->bias = nf_alloc_array(n, sizeof(*p->bias), NF_MEM_WEIGHTS);
    if (!p->bias) return nf_fail(err, NF_ENOMEM, b->name, "no memory for %zu biases", n);
    for (size_t c = 0; c < n; c++)
        p->bias[c] = wide ? ((const int64_t *)(const void *)b->data)[c]
                          : ((const int32_t *)(const void *)b->data)[c];
    return NF_OK;
}

/* TensorFlow takes the product of the scales in float where there is one of each, for UINT8 and
 * FULLY_CONNECTED. */
static double real_factor(const ir_tensor *x, const ir_tensor *w, const ir_tensor *y, size_t c,
                          bool in_float)
{
    const float sx = x->quant.scale[0], sw = w->quant.scale[w->quant.n > 1 ? c : 0];
    const double product =
        in_float && w->quant.n == 1 ? (double)(sx * sw) : (double)sx * (double)sw;
    return product / (double)y->quant.scale[0];
}

static nf_status set_factors(plan_q_product *p, const plan_layer *l, const ir_graph *g, size_t n,
                             nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const bool in_float = l->node->op == IR_FULLY_CONNECTED || x->dtype == ENG_U8;
    p->factor = nf_alloc_array(n, sizeof(*p->factor), NF_MEM_WEIGHTS);
    p->real = nf_alloc_array(n, sizeof(*p->real), NF_MEM_WEIGHTS);
    p->scale = nf_alloc_array(n, sizeof(*p->scale), NF_MEM_WEIGHTS);
    if (!p->factor || !p->real || !p->scale)
        return nf_fail(err, NF_ENOMEM, w->name, "no memory for %zu scales", n);
    for (size_t c = 0; c < n; c++) {
        const float sw = w->quant.scale[w->quant.n > 1 ? c : 0];
        p->real[c] = real_factor(x, w, y, c, in_float);
        p->factor[c] = krn_factor_of(p->real[c]);
        p->scale[c] = x->quant.scale[0] * sw / y->quant.scale[0];
        if (!(p->real[c] < 1e4))
            return nf_fail(err, NF_EFORMAT, y->name, "scale of output %zu is %g times too large", c,
                           p->real[c]);
    }
    return NF_OK;
}

/* Found by comparing whole tensors of one-operator models with TensorFlow Lite 2.21 and LiteRT. */
static krn_tail_way way_of(const plan_layer *l, const ir_graph *g)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const bool dense = l->node->op == IR_FULLY_CONNECTED, fast = plan_q_fast(l);
    if (x->dtype == ENG_I16) {
        if (b && b->dtype == ENG_I32 && fast) return KRN_TAIL_UP;
        if (dense) return KRN_TAIL_AWAY;
        return b && b->dtype == ENG_I32 ? KRN_TAIL_FIXED : KRN_TAIL_LONG;
    }
    if (fast && l->node->op == IR_CONV_2D && w->bits == 4) return KRN_TAIL_UP;
    if (fast && l->node->op != IR_DEPTHWISE_CONV_2D) return KRN_TAIL_FLOAT;
    return dense ? KRN_TAIL_AWAY : KRN_TAIL_FIXED;
}

static void product_fini(void *own)
{
    plan_q_product *p = own;
    nf_free(p->w);
    nf_free(p->packed);
    nf_free(p->bias);
    nf_free(p->factor);
    nf_free(p->real);
    nf_free(p->scale);
    nf_free(p->offset);
}

nf_status plan_q_product_new(plan_q_product **out, plan_layer *l, nf_error *err)
{
    *out = nf_alloc(sizeof(**out), NF_MEM_WEIGHTS);
    if (!*out) return nf_fail(err, NF_ENOMEM, "layer", "no memory");
    l->own = *out;
    l->own_fini = product_fini;
    return NF_OK;
}

/* Scales run along the outputs, or there is one. */
static nf_status check_scales(const ir_tensor *w, size_t n, int axis, nf_error *err)
{
    if (w->quant.n == 1 || (w->quant.n == n && w->quant.axis == axis)) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, w->name, "%zu scales for %zu outputs", w->quant.n, n);
}

/* True where 8-bit weights of n outputs meet INT16 in 32-bit sums that cannot overflow. */
static bool sums_fit(const plan_q_product *p, size_t n, size_t k)
{
    for (size_t c = 0; c < n; c++) {
        int64_t sum = 0;
        for (size_t i = 0; i < k; i++) {
            const int16_t w = p->w[c * k + i];
            if (w != (int8_t)w) return false;
            sum += w < 0 ? -w : w;
        }
        if (sum >= 65536) return false; /* times 2^15 */
    }
    return true;
}

/* CONV_2D and FULLY_CONNECTED of INT16 take the product of 8-bit layers: its left side is INT16. */
static nf_status pack_16(plan_q_product *p, plan_layer *l, const ir_tensor *w, nf_error *err)
{
    const size_t n = (size_t)w->dim[0];
    size_t all = 0;
    const size_t k = n && ir_elems(&all, w, 1) ? all / n : 0;
    const bool conv = l->node->op == IR_CONV_2D && l->node->attr.window.groups == 1;
    if (p->type != KRN_I16 || p->tail.to != KRN_I16 || k == 0 ||
        !(conv || l->node->op == IR_FULLY_CONNECTED) || l->qs8.gemm == krn_qs8_gemm_ref ||
        !sums_fit(p, n, k))
        return NF_OK;
    p->n_pad = krn_round_up(n, KRN_QS8_N);
    p->k_pad = krn_round_up(k, KRN_QS8_K);
    p->packed = nf_alloc_array(p->n_pad, p->k_pad, NF_MEM_WEIGHTS);
    int8_t *narrow = nf_alloc_array(n, k, NF_MEM_WEIGHTS);
    const bool room = p->packed && narrow;
    for (size_t i = 0; room && i < n * k; i++)
        narrow[i] = (int8_t)p->w[i];
    if (room) krn_qs8_pack(p->packed, narrow, n, k);
    nf_free(narrow);
    if (!room) return nf_fail(err, NF_ENOMEM, w->name, "no memory to pack weights");
    nf_free(p->w); /* only the plain kernel reads them */
    p->w = NULL;
    l->weight_bytes += p->n_pad * p->k_pad - w->bytes * sizeof(*p->w);
    l->kernel_name = l->qs8.gemm_name;
    return NF_OK;
}

PLAN_PREPARE(plan_q_product_prepare)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const ir_tensor *y = plan_out(l, g, 0);
    const int axis = l->node->op == IR_DEPTHWISE_CONV_2D ? w->rank - 1 : 0;
    const size_t n = (size_t)w->dim[axis];
    plan_q_product *p;
    krn_type to;
    nf_status st;
    (void)env;
    if ((st = plan_q_product_new(&p, l, err)) || (st = plan_q_type(&p->type, x, err)) ||
        (st = plan_q_type(&to, y, err)) || (st = check_scales(w, n, axis, err)) ||
        (st = widen_weights(p, w, err)) || (st = widen_bias(p, b, n, err)) ||
        (st = set_factors(p, l, g, n, err)))
        return st;
    if (p->type == KRN_I16 && (x->quant.zero[0] || y->quant.zero[0]))
        return nf_fail(err, NF_EUNSUPPORTED, x->name, "INT16 with a zero point");
    p->zero = x->quant.zero[0];
    p->tail = (krn_q_tail){.way = way_of(l, g),
                           .to = to,
                           .factor = p->factor,
                           .real = p->real,
                           .scale = p->scale,
                           .bias = p->bias,
                           .zero = y->quant.zero[0]};
    plan_q_limits(&p->tail.low, &p->tail.high, y, (ir_clamp){l->clamp_low, l->clamp_high});
    l->weight_bytes = w->bytes * sizeof(*p->w) + n * (sizeof(int64_t) + sizeof(krn_factor) + 12);
    return pack_16(p, l, w, err);
}

/* Scratch: an image without its zero point, then the sums of a depthwise pixel. */
static size_t image_bytes(const krn_window *w)
{
    return krn_round_up(w->in_h * w->in_w * w->in_c * sizeof(int16_t), 64);
}

/* Where the sums of a tile begin in the scratch, behind its windows. */
static size_t gathered_bytes(const plan_step *s)
{
    const plan_q_product *p = s->layer->own;
    return krn_round_up(s->u.window.tile * p->k_pad * sizeof(int16_t), 64);
}

static PLAN_RUN(run_16)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, pixels = w->out_h * w->out_w, n = w->out_c;
    int16_t *rows = s->scratch;
    int32_t *acc = (int32_t *)(void *)((char *)s->scratch + gathered_bytes(s));
    for (size_t b = 0; b < s->u.window.batch; b++)
        for (size_t at = 0; at < pixels; at += s->u.window.tile) {
            const size_t left = pixels - at;
            const krn_slice part = {0, w->in_c, at,
                                    left < s->u.window.tile ? left : s->u.window.tile};
            krn_s16_im2col_ref(rows, (const int16_t *)s->a + b * in, w, &part, p->k_pad);
            s->layer->qs8.gemm(acc, rows, p->packed, part.count, p->n_pad, p->k_pad);
            krn_q_tail_rows16((int16_t *)s->y + (b * pixels + at) * n, acc, part.count, n, p->n_pad,
                              &p->tail);
        }
}

#define TILE_BYTES 32768 /* of gathered windows: stays in the first-level cache */

/* s->u.window is filled but for its tile. */
static void bind_16(plan_step *s)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t most = TILE_BYTES / (p->k_pad * sizeof(int16_t)), pixels = w->out_h * w->out_w;
    s->u.window.tile = most < 4 ? 4 : most;
    if (s->u.window.tile > pixels) s->u.window.tile = pixels;
    s->scratch_bytes = gathered_bytes(s) + s->u.window.tile * p->n_pad * sizeof(int32_t);
    s->run = run_16;
}

PLAN_BIND(plan_bind_q_conv)
{
    (void)err;
    const plan_q_product *p = s->layer->own;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    if (p->packed) {
        bind_16(s);
        return NF_OK;
    }
    if (s->layer->q8) {
        plan_bind_hybrid_images(s, false);
        return NF_OK;
    }
    s->scratch_bytes = image_bytes(&s->u.window.w) + s->u.window.w.out_c * sizeof(int64_t);
    return NF_OK;
}

static void run_image(const plan_step *s, void *y, const krn_q_tail *t)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    int64_t *sums = (int64_t *)(void *)((char *)s->scratch + image_bytes(w));
    if (s->layer->node->op == IR_DEPTHWISE_CONV_2D)
        krn_q_depthwise_ref(y, s->scratch, p->w, w, t, sums);
    else
        krn_q_conv_ref(y, s->scratch, p->w, w, (size_t)s->layer->node->attr.window.groups, t);
}

PLAN_RUN(plan_run_q_conv)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, size = s->layer->elem_size;
    const size_t out = w->out_h * w->out_w * w->out_c * size;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        krn_q_widen_ref(s->scratch, (const char *)s->a + b * in * size, p->type, p->zero, in);
        run_image(s, (char *)s->y + b * out, &p->tail);
    }
}

/* Rows are images of one pixel. */
PLAN_BIND(plan_bind_q_dense)
{
    (void)err;
    const plan_q_product *p = s->layer->own;
    const size_t k = in[1].dim[1], n = in[1].dim[0];
    s->u.window.batch = in[0].elems / k;
    s->u.window.w = (krn_window){.in_h = 1,
                                 .in_w = 1,
                                 .in_c = k,
                                 .out_h = 1,
                                 .out_w = 1,
                                 .out_c = n,
                                 .kernel_h = 1,
                                 .kernel_w = 1,
                                 .stride_h = 1,
                                 .stride_w = 1,
                                 .dilation_h = 1,
                                 .dilation_w = 1};
    (void)out;
    s->scratch_bytes = image_bytes(&s->u.window.w);
    if (p->packed) bind_16(s);
    return NF_OK;
}

PLAN_RUN(plan_run_q_dense)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t size = s->layer->elem_size;
    for (size_t row = 0; row < s->u.window.batch; row++) {
        krn_q_widen_ref(s->scratch, (const char *)s->a + row * w->in_c * size, p->type, p->zero,
                        w->in_c);
        krn_q_conv_ref((char *)s->y + row * w->out_c * size, s->scratch, p->w, w, 1, &p->tail);
    }
}

/* XNNPACK quantizes every row or image about a zero point of its own. It takes weights of 4 bits
 * only in FULLY_CONNECTED of an even number of inputs. */
PLAN_PREPARE(plan_q_hybrid)
{
    const ir_tensor *w = plan_in(l, g, 1);
    const bool small = l->node->op == IR_FULLY_CONNECTED && w->dim[1] % 2 == 0;
    const nf_status st = plan_product_hybrid(l, g, env, err);
    if (plan_q_fast(l) && (w->bits != 4 || small)) l->product.dynamic = KRN_DYNAMIC_XNN;
    return st;
}

/* XNNPACK takes a 1 x 1 convolution as a product of rows: each pixel has a scale of its own. */
PLAN_BIND(plan_bind_q_hybrid_conv)
{
    const plan_layer *l = s->layer;
    const ir_window *a = &l->node->attr.window;
    const bool rows = l->product.dynamic == KRN_DYNAMIC_XNN && in[1].dim[1] == 1 &&
                      in[1].dim[2] == 1 && a->stride_h == 1 && a->stride_w == 1 && a->groups == 1 &&
                      out->elems / l->product.n == in[0].elems / l->product.k;
    if (!rows) return plan_bind_conv_q8(s, in, out, err);
    if (l->q8) {
        plan_window_bind(s, in, out, 1, 1);
        plan_bind_hybrid_images(s, true);
        return NF_OK;
    }
    s->run = plan_run_dense_hybrid;
    return plan_bind_dense_q8(s, in, out, err);
}

static bool no_zeros(const ir_tensor *w)
{
    bool none = true;
    for (size_t i = 0; i < w->quant.n; i++)
        none = none && w->quant.zero[i] == 0;
    return none;
}

PLAN_PREPARE(plan_q_depthwise_hybrid)
{
    const ir_tensor *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const size_t n = (size_t)w->dim[w->rank - 1];
    plan_q_product *p;
    nf_status st;
    (void)env;
    if ((st = plan_q_product_new(&p, l, err)) || (st = check_scales(w, n, w->rank - 1, err)) ||
        (st = widen_weights(p, w, err)))
        return st;
    p->scale = nf_alloc_array(n, sizeof(*p->scale), NF_MEM_WEIGHTS);
    p->offset = nf_alloc_array(n, sizeof(*p->offset), NF_MEM_WEIGHTS);
    if (!p->scale || !p->offset) return nf_fail(err, NF_ENOMEM, w->name, "no memory");
    for (size_t c = 0; c < n; c++) {
        p->scale[c] = w->quant.scale[w->quant.n > 1 ? c : 0];
        p->offset[c] = b ? ((const float *)(const void *)b->data)[c] : 0;
    }
    const krn_qs8_out out = {NULL, p->scale, p->offset, true, l->clamp_low, l->clamp_high};
    if (w->dtype == ENG_I8 && no_zeros(w) && (st = plan_pack_sums(l, g, &out, err))) return st;
    p->tail = (krn_q_tail){.way = KRN_TAIL_HYBRID,
                           .scale = p->scale,
                           .offset = p->offset,
                           .least = l->clamp_low,
                           .most = l->clamp_high};
    l->weight_bytes += w->bytes * sizeof(*p->w) + n * 8;
    return NF_OK;
}

/* Each image has a scale and zero point of its own. */
PLAN_RUN(plan_run_q_depthwise_hybrid)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, out = w->out_h * w->out_w * w->out_c;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        krn_q_tail t = p->tail;
        krn_qs8_dynamic_ref(s->scratch, &t.x_scale, (const float *)s->a + b * in, in, in,
                            KRN_DYNAMIC_WHOLE);
        run_image(s, (float *)s->y + b * out, &t);
    }
}

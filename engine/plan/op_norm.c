/* op_norm.c - normalization. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"

#include "engine/kernels/krn_norm.h"

PLAN_PREPARE(plan_norm)
{
    (void)env;
    for (int32_t i = 0; i < l->node->n_in + l->node->n_out; i++) {
        const int32_t k = i - l->node->n_in;
        const ir_tensor *t = k < 0 ? plan_in(l, g, i) : plan_out(l, g, k);
        if (t && t->dtype != ENG_F32)
            return nf_fail(err, NF_EUNSUPPORTED, t->name, "%s of %s", ir_op_name(l->node->op),
                           eng_dtype_oip(t->dtype));
    }
    return NF_OK;
}

static bool there(const plan_step *s, int32_t i)
{
    return i < s->layer->node->n_in && s->layer->node->in[i] >= 0;
}

static nf_status bad_size(const plan_step *s, nf_error *err)
{
    return nf_fail(err, NF_EFORMAT, ir_op_name(s->layer->node->op),
                   "scale, bias or statistics that do not fit x");
}

PLAN_BIND(plan_bind_layer_norm)
{
    const int axis = s->layer->node->attr.norm.axis;
    s->u.softmax.outer = s->u.softmax.n = 1;
    for (int i = 0; i < in[0].rank; i++)
        *(i < axis ? &s->u.softmax.outer : &s->u.softmax.n) *= in[0].dim[i];
    (void)out;
    for (int32_t i = 1; i < 3; i++)
        if (there(s, i) && in[i].elems != s->u.softmax.n && in[i].elems != 1)
            return bad_size(s, err);
    return NF_OK;
}

static size_t elems_of(const plan_step *s, int32_t i)
{
    size_t n = 0;
    if (there(s, i)) ir_elems(&n, plan_in(s->layer, s->layer->owner->g, i), 1);
    return n;
}

PLAN_RUN(plan_run_layer_norm)
{
    const ir_node *n = s->layer->node;
    const krn_layer_norm p = {.n = s->u.softmax.n,
                              .scale = there(s, 1) ? s->in[1] : NULL,
                              .bias = there(s, 2) ? s->in[2] : NULL,
                              .step_scale = elems_of(s, 1) != 1 || s->u.softmax.n == 1,
                              .step_bias = elems_of(s, 2) != 1 || s->u.softmax.n == 1,
                              .epsilon = n->attr.norm.epsilon,
                              .rms = n->attr.norm.rms};
    s->layer->f32.layer_norm(s->y, n->n_out > 1 ? s->out[1] : NULL, n->n_out > 2 ? s->out[2] : NULL,
                             s->a, s->u.softmax.outer, &p);
}

/* [images, channels, pixels]; scale and bias of groups or of channels. */
PLAN_BIND(plan_bind_channel_norm)
{
    const ir_node *n = s->layer->node;
    const size_t c = in[0].dim[1];
    const size_t groups = n->op == IR_GROUP_NORM ? (size_t)n->attr.norm.groups : 0;
    s->u.softmax.outer = in[0].dim[0];
    s->u.softmax.n = c;
    s->u.softmax.inner = 1;
    for (int i = 2; i < in[0].rank; i++)
        s->u.softmax.inner *= in[0].dim[i];
    (void)out;
    if (groups && c % groups != 0) return bad_size(s, err);
    for (int32_t i = 1; i < n->n_in; i++)
        if (in[i].elems != in[1].elems || (in[i].elems != c && in[i].elems != groups))
            return bad_size(s, err);
    return NF_OK;
}

PLAN_RUN(plan_run_group_norm)
{
    const ir_norm *a = &s->layer->node->attr.norm;
    const size_t c = s->u.softmax.n, size = s->u.softmax.inner;
    const krn_group_norm p = {.channels = c,
                              .size = size,
                              .groups = a->groups ? (size_t)a->groups : c,
                              .scale = s->in[1],
                              .bias = s->in[2],
                              .epsilon = a->epsilon,
                              .per_group = elems_of(s, 1) != c};
    for (size_t i = 0; i < s->u.softmax.outer; i++)
        s->layer->f32.group_norm((float *)s->y + i * c * size, (const float *)s->a + i * c * size,
                                 &p);
}

PLAN_RUN(plan_run_batch_norm)
{
    const size_t c = s->u.softmax.n, size = s->u.softmax.inner;
    const float *const param[] = {s->in[1], s->in[2], s->in[3], s->in[4]};
    for (size_t i = 0; i < s->u.softmax.outer; i++)
        krn_f32_batch_norm_ref((float *)s->y + i * c * size, (const float *)s->a + i * c * size, c,
                               size, param, s->layer->node->attr.norm.epsilon);
}

PLAN_BIND(plan_bind_axis_norm)
{
    const int axis = s->layer->node->attr.norm.axis;
    (void)in, (void)err;
    s->u.softmax.outer = s->u.softmax.inner = 1;
    s->u.softmax.n = out->dim[axis];
    for (int i = 0; i < out->rank; i++)
        if (i != axis) *(i < axis ? &s->u.softmax.outer : &s->u.softmax.inner) *= out->dim[i];
    return NF_OK;
}

PLAN_RUN(plan_run_lrn)
{
    const ir_norm *a = &s->layer->node->attr.norm;
    const krn_lrn p = {(size_t)(a->before > 0 ? a->before : 0),
                       (size_t)(a->after > 0 ? a->after : 0), a->alpha, a->beta, a->bias};
    krn_f32_lrn_ref(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->u.softmax.inner, &p);
}

PLAN_RUN(plan_run_lp_norm)
{
    const ir_norm *a = &s->layer->node->attr.norm;
    krn_f32_lp_norm_ref(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->u.softmax.inner, a->p,
                        a->epsilon);
}

PLAN_BIND(plan_bind_mvn)
{
    size_t places = 1;
    (void)in, (void)err;
    s->u.loop.rank = out->rank;
    for (int i = 0; i < out->rank; i++) {
        s->u.loop.dim[i] = out->dim[i];
        places *= s->layer->node->attr.norm.axes >> i & 1 ? 1 : out->dim[i];
    }
    s->scratch_bytes = 2 * places * sizeof(double);
    return NF_OK;
}

PLAN_RUN(plan_run_mvn)
{
    const ir_norm *a = &s->layer->node->attr.norm;
    krn_f32_mvn_ref(s->y, s->a, s->u.loop.rank, s->u.loop.dim, a->axes, a->epsilon, s->scratch);
}

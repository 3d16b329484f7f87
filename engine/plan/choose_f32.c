/* choose_f32.c - the fastest of the ways to compute a float product, found by timing them.
 * Layer: plan. Thread rule: no shared state. */
#include "engine/plan/pack.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define MOST_RUNS 9
#define MOST_NS   400000     /* of one way; a layer has four at most */
#define LONG_MACS 1000000000 /* a row */
#define MARGIN    0.95 /* a later way must be faster by this factor: equal times change nothing */

/* Winograd pays where channels fill vectors and the image holds some tiles. */
static bool can_winograd(const plan_layer *l, const ir_graph *g)
{
    const ir_window *a = &l->node->attr.window;
    const ir_tensor *w = &g->tensors[l->node->in[1]], *y = &g->tensors[l->node->out[0]];
    if (l->node->op != IR_CONV_2D || w->dim[1] != 3 || w->dim[2] != 3) return false;
    return plan_reads_runs(a, w) && a->stride_h == 1 && a->stride_w == 1 && w->dim[3] >= 8 &&
           w->dim[0] >= 8 && y->dim[1] >= 4 && y->dim[2] >= 4;
}

/* In the order of preference: OpenBLAS comes first where our kernels are plain C, last where they
 * have vectors. */
static size_t ways_of(plan_way *ways, const plan_layer *l, const ir_graph *g)
{
    const bool plain = l->f32.product == krn_f32_product_ref;
    size_t n = 0;
    if (plain && l->blas) ways[n++] = PLAN_WAY_BLAS;
    if (can_winograd(l, g)) {
        ways[n++] = PLAN_WAY_WINOGRAD_4;
        ways[n++] = PLAN_WAY_WINOGRAD_2;
    }
    ways[n++] = PLAN_WAY_PACKED;
    if (!plain && l->blas) ways[n++] = PLAN_WAY_BLAS;
    return n;
}

static plan_shape shape_of(const ir_tensor *t)
{
    plan_shape s = {.rank = t->rank};
    for (int i = 0; i < t->rank; i++)
        s.dim[i] = (size_t)(t->dim[i] == IR_BATCH ? 1 : t->dim[i]);
    ir_elems(&s.elems, t, 1); /* is_known has looked */
    return s;
}

/* Shapes that come with the request, and results without elements, cannot be timed. */
static bool is_known(const plan_layer *l, const ir_graph *g)
{
    size_t x, y;
    return ir_elems(&x, &g->tensors[l->node->in[0]], 1) &&
           ir_elems(&y, &g->tensors[l->node->out[0]], 1) && x && y &&
           g->tensors[l->node->in[0]].rank > 0;
}

/* Timing it would take noticeable parts of a second. */
static bool is_long(const plan_layer *l, const ir_graph *g)
{
    const plan_shape out = shape_of(&g->tensors[l->node->out[0]]);
    return plan_macs(g, l->node, &out) > LONG_MACS;
}

/* Least nanoseconds of a few runs. */
static uint64_t time_runs(const plan_step *s)
{
    uint64_t least = UINT64_MAX, all = 0;
    s->run(s); /* code and data into the caches */
    for (int i = 0; i < MOST_RUNS && all < MOST_NS; i++) {
        const uint64_t begin = nf_now_ns();
        s->run(s);
        const uint64_t took = nf_now_ns() - begin;
        all += took;
        if (took < least) least = took;
    }
    return least;
}

/* Runs the layer as it is now packed, on zeros. */
static nf_status time_layer(uint64_t *ns, plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    const plan_shape in[2] = {shape_of(&g->tensors[l->node->in[0]]), shape_of(w)};
    const plan_shape out = shape_of(&g->tensors[l->node->out[0]]);
    plan_step s = {.run = l->kernel->run, .layer = l};
    nf_status st = l->kernel->bind(&s, in, &out, err);
    if (st) return st;
    void *x = nf_alloc_array(in[0].elems, sizeof(float), NF_MEM_ARENA);
    s.a = x;
    s.y = nf_alloc_array(out.elems, sizeof(float), NF_MEM_ARENA);
    s.scratch = nf_alloc(s.scratch_bytes + 1, NF_MEM_ARENA);
    if (x && s.y && s.scratch)
        *ns = time_runs(&s);
    else
        st = plan_pack_no_memory(err, w);
    nf_free(x);
    nf_free(s.y);
    nf_free(s.scratch);
    return st;
}

nf_status plan_choose_f32(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err)
{
    plan_way ways[PLAN_WAY_COUNT], best = PLAN_WAY_COUNT;
    const size_t n = ways_of(ways, l, g);
    double least = 0;
    nf_status st = NF_OK;
    if (!env->measure || n == 1 || !is_known(l, g) || is_long(l, g))
        return plan_pack_f32(l, g, ways[0], err);
    for (size_t i = 0; i < n; i++) {
        uint64_t ns = 0;
        if ((st = plan_pack_f32(l, g, ways[i], err)) || (st = time_layer(&ns, l, g, err)))
            return st;
        if (best != PLAN_WAY_COUNT && (double)ns > least * MARGIN) continue;
        best = ways[i];
        least = (double)ns;
    }
    return best == l->product.way ? NF_OK : plan_pack_f32(l, g, best, err);
}

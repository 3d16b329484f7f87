/* calibrate.c - runs rows through a float model and keeps the least and largest number of every
 * activation. Layer: load. Thread rule: one owner. */
#include "engine/load/calibrate.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

#define MOST_MACS  ((uint64_t)1 << 36) /* of all rows together: seconds of one core */
#define LEAST_ROWS 4
#define MOST_ARENA ((size_t)1 << 30) /* every activation is kept */

/* Integers take a part in what it computes. Weights behind a DEQUANTIZE do not. */
static bool uses_integers(const ir_graph *g, const ir_node *n)
{
    return n->op == IR_DYNAMIC_QUANTIZE || n->op == IR_QUANTIZE_LINEAR ||
           n->op == IR_MATMUL_INTEGER || n->op == IR_CONV_INTEGER ||
           (ir_is_product(n->op) && g->tensors[n->in[1]].quant.n);
}

bool load_is_float(const ir_graph *g)
{
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].quant.n && !g->tensors[t].data) return false;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (uses_integers(g, &g->nodes[i])) return false;
    return true;
}

static nf_status check_rows(const eng_model *m, const eng_calibration *c, nf_error *err)
{
    size_t want = 0;
    if (m->info.shapes == ENG_SHAPES_OPEN)
        return nf_fail(err, NF_EUNSUPPORTED, c->name,
                       "calibrates a model whose shapes come with the request");
    for (size_t i = 0; i < m->info.n_inputs; i++) {
        if (m->inputs[i].dtype != ENG_F32)
            return nf_fail(err, NF_EUNSUPPORTED, c->name, "calibrates a model with %s input '%s'",
                           eng_dtype_oip(m->inputs[i].dtype), m->inputs[i].name);
        want += m->inputs[i].row_elems;
    }
    if (c->row_elems != want)
        return nf_fail(err, NF_EINVAL, c->name, "has %zu numbers a row, the model takes %zu",
                       c->row_elems, want);
    return c->n_rows ? NF_OK : nf_fail(err, NF_EINVAL, c->name, "has no rows");
}

static void fill_inputs(const plan_program *p, const eng_model *m, const float *row)
{
    for (size_t i = 0; i < m->info.n_inputs; i++) {
        void *to = p->place[m->graph->inputs[i]];
        const size_t n = m->inputs[i].row_elems;
        if (to && n) memcpy(to, row, n * sizeof(*row));
        row += n;
    }
}

static void widen(pass_range *r, const float *v, size_t n)
{
    float low = r->low, high = r->high;
    for (size_t i = 0; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    r->low = low;
    r->high = high;
    r->seen = r->seen && pass_all_finite(v, n);
}

static bool is_activation(const plan_program *p, const ir_tensor *t, size_t i)
{
    return t->dtype == ENG_F32 && !t->data && !t->variable && p->place[i];
}

static void note_values(pass_range *ranges, const plan_program *p, const ir_graph *g)
{
    for (size_t t = 0; t < g->n_tensors; t++)
        if (is_activation(p, &g->tensors[t], t)) widen(&ranges[t], p->place[t], p->shapes[t].elems);
}

static size_t count_rows(const plan_program *p, const eng_calibration *c)
{
    const size_t most = c->n_rows < ENG_CALIBRATION_MOST ? c->n_rows : ENG_CALIBRATION_MOST;
    const uint64_t fit = MOST_MACS / (p->macs ? p->macs : 1);
    if (fit >= most) return most;
    return most < LEAST_ROWS ? most : fit < LEAST_ROWS ? LEAST_ROWS : (size_t)fit;
}

static nf_status run_rows(pass_range *ranges, size_t *n_rows, const eng_model *m, plan_program *p,
                          const eng_calibration *c, nf_error *err)
{
    nf_status st = NF_OK;
    const size_t n = *n_rows = count_rows(p, c);
    for (size_t t = 0; t < m->graph->n_tensors; t++)
        ranges[t].seen = is_activation(p, &m->graph->tensors[t], t);
    for (size_t i = 0; i < n && !st; i++) {
        fill_inputs(p, m, c->rows + i * c->n_rows / n * c->row_elems);
        st = plan_program_run(p, err);
        if (!st) note_values(ranges, p, m->graph);
    }
    return st;
}

static nf_status observe(pass_range **ranges, size_t *n_rows, const eng_model *m,
                         const eng_calibration *c, nf_error *err)
{
    const plan_limits l = {.batch = 1, .max_arena = MOST_ARENA, .keep_all = true};
    plan_program *p = NULL;
    nf_status st;
    if ((st = check_rows(m, c, err))) return st;
    if ((st = plan_program_create(&p, &m->top, &l, err))) return st;
    *ranges = nf_alloc_array(m->graph->n_tensors + 1, sizeof(**ranges), NF_MEM_GRAPH);
    st = *ranges ? run_rows(*ranges, n_rows, m, p, c, err)
                 : nf_fail(err, NF_ENOMEM, "calibrate", "no memory");
    plan_program_destroy(&p);
    return st;
}

nf_status load_observe(pass_range **ranges, size_t *n_rows, ir_graph *take_graph,
                       const eng_options *o, const plan_env *env, nf_error *err)
{
    eng_model *m;
    *ranges = NULL;
    nf_status st = plan_compile(&m, take_graph, o, env, err);
    if (st) return st;
    st = observe(ranges, n_rows, m, o->calibration, err);
    eng_model_unref(&m);
    if (!st) return NF_OK;
    nf_free(*ranges);
    *ranges = NULL;
    return st;
}

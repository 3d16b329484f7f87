/* model_load.c - file to model: read, verify, rewrite, compile. Layer: load.
 * Thread rule: no shared state but OpenBLAS, which is loaded once. */
#include "engine/base/mem.h"
#include "engine/format/fmt.h"
#include "engine/kernels/cpu.h"
#include "engine/load/calibrate.h"
#include "engine/passes/pass.h"
#include "engine/plan/compiled.h"

#include <string.h>

static eng_arith arith_of(const eng_options *o, const ir_graph *g)
{
    if (o->arith != ENG_ARITH_AUTO) return o->arith;
    return strcmp(g->format, "onnx") == 0 ? ENG_ARITH_ONNX : ENG_ARITH_LITERT;
}

/* OpenBLAS costs a library in memory: it is loaded when a float product is large enough for it to
 * win. Where our own kernels have vectors that is rare: timed against it with bias and limits, it
 * won no layer of the four MLPerf Tiny nets. */
static bool needs_blas(const ir_graph *g, unsigned cpu)
{
    const size_t least = cpu & KRN_CPU_AVX2 ? KRN_BLAS_LARGE_WEIGHTS : KRN_BLAS_LEAST_MACS;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        size_t weights = 0;
        if (n->op != IR_CONV_2D && n->op != IR_FULLY_CONNECTED) continue;
        const ir_tensor *w = &g->tensors[n->in[1]];
        if (w->dtype == ENG_F32 && ir_elems(&weights, w, 1) && weights >= least) return true;
    }
    return false;
}

static plan_env env_for(const eng_options *o, const ir_graph *g)
{
    const unsigned cpu = krn_cpu_flags(o->isa);
    plan_env env = {.round = o->arith == ENG_ARITH_REFERENCE ? KRN_ROUND_FIXED : KRN_ROUND_FLOAT,
                    .away = o->arith == ENG_ARITH_REFERENCE,
                    .cpu = cpu};
    krn_qs8_init(&env.qs8, cpu);
    krn_f32_init(&env.f32, cpu);
    env.measure = g && !o->fixed_ways;
    env.blas = !o->no_blas && g && needs_blas(g, cpu) && krn_blas_open(o->blas_core, cpu);
    return env;
}

static nf_status fold(ir_graph *g, const void *with, bool only_shapes, nf_error *err)
{
    return plan_fold(g, with, only_shapes, err);
}

static nf_status rewrite(ir_graph *g, const eng_options *o, nf_error *err)
{
    const plan_env plain = env_for(o, NULL);
    const pass_folder folder = {fold, &plain};
    return pass_run_all(g, o, &folder, err);
}

/* Reads the file and rewrites it, all in float: the same tensors every time. */
static nf_status read_float(ir_graph **g, nf_bytes file, const eng_options *o, nf_error *err)
{
    eng_options plain = *o;
    nf_status st;
    plain.mode = ENG_MODE_FILE;
    plain.precision = ENG_PREC_AUTO;
    if ((st = fmt_read_in(g, file, o->folder, err))) return st;
    if ((st = rewrite(*g, &plain, err))) ir_graph_destroy(g);
    return st;
}

/* Activations with fixed scales, and weights for what stays in float. The ranges come from one copy
 * of the graph, which packing uses up, and go into another. */
static nf_status calibrate(ir_graph **out, size_t *n_rows, nf_bytes file, const eng_options *o,
                           nf_error *err)
{
    pass_range *ranges = NULL;
    ir_graph *g = NULL;
    nf_status st;
    if ((st = read_float(&g, file, o, err))) return st;
    const plan_env env = env_for(o, g);
    if ((st = load_observe(&ranges, n_rows, g, o, &env, err))) return st;
    g = NULL;
    st = read_float(&g, file, o, err);
    if (!st) st = pass_calibrate(g, ranges, pass_weight_steps(o), err);
    if (!st) st = pass_quantize_weights(g, o, err);
    if (!st) st = pass_sweep(g, o, err);
    if (!st) st = ir_graph_verify(g, err);
    nf_free(ranges);
    if (st) ir_graph_destroy(&g);
    *out = g;
    return st;
}

static bool can_calibrate(const eng_options *o, const ir_graph *g)
{
    return o->calibration && eng_wants_int8(o) && load_is_float(g);
}

/* What asks for INT4 is not quietly given weights of 8 bits. */
static nf_status check_four(const ir_graph *g, const eng_options *o, nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_bodies && !st; i++)
        st = check_four(g->bodies[i], o, err);
    for (size_t i = 0; i < g->n_nodes && !st && o->precision == ENG_PREC_INT4; i++) {
        const ir_node *n = &g->nodes[i];
        if (n->op != IR_CONV_2D && n->op != IR_FULLY_CONNECTED) continue;
        const ir_tensor *w = &g->tensors[n->in[1]];
        if ((w->dtype == ENG_I8 || w->dtype == ENG_U8) && w->bits != 4)
            return nf_fail(err, NF_EUNSUPPORTED, "precision",
                           "int4 needs weights of floats or of 4 bits, those of '%s' are %s",
                           g->tensors[n->out[0]].name, eng_dtype_oip(w->dtype));
    }
    return st;
}

nf_status eng_model_load(eng_model **out, nf_bytes file, const eng_options *options, nf_error *err)
{
    ir_graph *g = NULL;
    size_t n_rows = 0;
    nf_status st;
    *out = NULL;
    if ((st = fmt_read_in(&g, file, options->folder, err))) return st;
    eng_options o = *options;
    o.arith = arith_of(options, g);
    if (can_calibrate(&o, g)) {
        ir_graph_destroy(&g);
        st = calibrate(&g, &n_rows, file, &o, err);
    } else if ((st = rewrite(g, &o, err))) {
        ir_graph_destroy(&g);
    }
    if (!st && (st = check_four(g, &o, err))) ir_graph_destroy(&g);
    if (st) return st;
    const plan_env env = env_for(&o, g);
    if (!(st = plan_compile(out, g, &o, &env, err))) (*out)->info.calibration_rows = n_rows;
    return st;
}

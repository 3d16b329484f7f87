/* cmd_inspect.c - nearfar inspect: what a model is and what it costs. Layer: server/cmd. Thread
 * rule: main thread. */
#include "engine/base/mem.h"
#include "engine/cost/cost.h"
#include "server/case/case_compare.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_data.h"
#include "server/cmd/cmd_model.h"
#include "server/cmd/cmd_options.h"
#include "server/cmd/inspect_devices.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct opts {
    cmd_engine engine;
    const char *devices;
    bool json, help;
} opts;

#define AT(field) offsetof(opts, field)

// clang-format off
static const nf_opt rows[] = {
    CMD_ENGINE_ROWS(opts, engine),
    {.name = "devices", .arg = "DIR", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(devices),
     .help = "device files to hold the model against; without it those of the program"},
    {.name = "json", .kind = NF_OPT_FLAG, .offset = AT(json), .help = "print one JSON object"},
    CMD_HELP_ROW(opts),
};
// clang-format on

static const cmd_spec spec = {
    .usage = "nearfar inspect MODEL [OPTIONS]",
    .what = "Shows inputs, outputs, the steps that run, their quantization and memory, a modelled\n"
            "energy, and for each device whether the model fits, its latency and the hours of its\n"
            "battery, modelled too. MODEL is a file, or a folder of one model or version.",
    .example = "  nearfar inspect models/temp --mode edge\n",
    .table = {rows, NF_COUNT(rows)},
    .help = AT(help),
};

static const char assumption[] =
    "modelled from a 45 nm table, not measured: a float product is 4.6 pJ (multiply 3.7, add 0.9), "
    "an 8-bit one 0.3 pJ (multiply 0.2, 32-bit add 0.1); every activation is written once and read "
    "once in SRAM (5 pJ a 32-bit word), every weight is read once, from SRAM or from DRAM (640 pJ)";

/* What inspect knows beside the model itself. */
typedef struct totals {
    eng_need need;
    eng_cost cost;
    char device_dir[CMD_DATA_SIZE]; /* "" = none found */
    srv_devices devices;
} totals;

/* Integer weights take the table's 8-bit rows only where the step's result is quantized: with float
 * activations (hybrid) the products are done on 8-bit numbers too, but the result is not. */
static bool integer_step(const eng_step_info *s, const eng_info *info)
{
    return s->quantized || info->precision == ENG_PREC_HYBRID;
}

static void add_up(totals *t, const cmd_model *m)
{
    eng_work *const work = &t->need.work;
    t->need.file_bytes = m->file_bytes;
    t->need.arena_bytes = m->info->arena_bytes;
    t->need.values_bytes = m->info->values_bytes;
    work->weight_bytes = m->info->weight_bytes;
    for (size_t i = 0; i < m->info->n_inputs; i++)
        work->activation_bytes +=
            m->info->inputs[i].row_elems * eng_dtype_size(m->info->inputs[i].dtype);
    for (size_t i = 0; i < m->info->n_ops; i++) {
        eng_step_info s;
        eng_model_step(&s, m->model, i);
        *(integer_step(&s, m->info) ? &work->int_macs : &work->float_macs) += s.macs;
        if (strcmp(s.kernel, "view") != 0) /* a view moves nothing */
            work->activation_bytes += 2 * (uint64_t)s.out_bytes;
    }
    t->cost = eng_cost_of(work);
}

/* A folder that was named must be good; without one, no devices are no error. */
static nf_status find_devices(totals *t, const opts *o, nf_error *err)
{
    if (*o->devices)
        snprintf(t->device_dir, sizeof(t->device_dir), "%s", o->devices);
    else if (cmd_data_find(t->device_dir, "devices", NULL))
        t->device_dir[0] = '\0';
    return *t->device_dir ? srv_devices_read(&t->devices, t->device_dir, err) : NF_OK;
}

/* "[N, 3, 1]" */
static void io_shape(char *out, size_t size, const eng_io *io)
{
    char rest[96];
    if (io->rank < 0) {
        snprintf(out, size, "[...]");
        return;
    }
    if (!io->batched) {
        srv_dims_text(out, size, io->dim, io->rank);
        return;
    }
    srv_dims_text(rest, sizeof(rest), io->dim + 1, io->rank - 1);
    snprintf(out, size, "[N%s%s", io->rank > 1 ? ", " : "", rest + 1);
}

/* "0.5 0.5 0.5", the first few. */
static void print_floats(const char *title, const float *v, size_t n)
{
    if (!n) return;
    printf("  %s", title);
    for (size_t i = 0; i < n && i < 4; i++)
        printf(" %.9g", (double)v[i]);
    if (n > 4) printf(" ... (%zu)", n);
}

static void print_note(const eng_io_note *n)
{
    const bool any = n->title || n->description || n->unit || n->n_mean || n->n_deviation;
    if (n->alias) printf("  signature name %s", n->alias);
    printf("\n");
    if (!any) return;
    printf("          ");
    if (n->title) printf(" %s", n->title);
    if (n->description) printf(" (%s)", n->description);
    if (n->unit) printf(" in %s", n->unit);
    print_floats("mean", n->mean, n->n_mean);
    print_floats("std", n->deviation, n->n_deviation);
    if (n->n_mean) printf(": (x - mean) / std is for the caller to do");
    printf("\n");
}

static void print_ios(const char *title, const eng_io *ios, const eng_io_note *notes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char shape[128];
        io_shape(shape, sizeof(shape), &ios[i]);
        printf("%-10s %s %s %s", i ? "" : title, ios[i].name, shape, eng_dtype_oip(ios[i].dtype));
        if (ios[i].quantized)
            printf("  real = (q - %d) * %.9g", ios[i].zero_point, (double)ios[i].scale);
        print_note(&notes[i]);
    }
}

/* "INT8 *0.0235 -128": real = (q + 128) * 0.0235 */
static void step_type(char *out, size_t size, const eng_step_info *s)
{
    if (s->quantized)
        snprintf(out, size, "%s *%.3g %+d", eng_dtype_oip(s->dtype), (double)s->scale,
                 s->zero_point);
    else
        snprintf(out, size, "%s", eng_dtype_oip(s->dtype));
}

static void print_steps(const cmd_model *m)
{
    printf("\n%-3s %-18s %-20s %-18s %-20s %11s %9s %9s %9s\n", "#", "op", "kernel", "output",
           "type *scale zero", "MACs", "weights", "arena at", "bytes");
    for (size_t i = 0; i < m->info->n_ops; i++) {
        eng_step_info s;
        char shape[128], type[64];
        eng_model_step(&s, m->model, i);
        srv_dims_text(shape, sizeof(shape), s.dim, s.rank);
        step_type(type, sizeof(type), &s);
        printf("%-3zu %-18s %-20s %-18s %-20s %11llu %9zu %9zu %9zu\n", i, s.op, s.kernel, shape,
               type, (unsigned long long)s.macs, s.weight_bytes, s.arena_offset, s.out_bytes);
    }
}

/* Picojoules in the unit that reads best. */
static void energy_text(char *out, size_t size, double pj)
{
    static const char *const units[] = {"pJ", "nJ", "uJ", "mJ", "J"};
    size_t u = 0;
    while (pj >= 1000 && u + 1 < NF_COUNT(units)) {
        pj /= 1000;
        u++;
    }
    snprintf(out, size, "%.3g %s", pj, units[u]);
}

static void print_energy(const totals *t)
{
    const double values[] = {t->cost.compute,
                             t->cost.activations,
                             t->cost.weights_sram,
                             t->cost.weights_dram,
                             eng_cost_total(&t->cost, false),
                             eng_cost_total(&t->cost, true)};
    char text[NF_COUNT(values)][32];
    for (size_t i = 0; i < NF_COUNT(values); i++)
        energy_text(text[i], sizeof(text[i]), values[i]);
    printf("energy     modelled, one inference: %s with the weights in SRAM, %s with them in DRAM\n"
           "           compute %s, activations %s, weights %s or %s\n"
           "           (%s)\n",
           text[4], text[5], text[0], text[1], text[2], text[3], assumption);
}

static const char *task_of(const cmd_model *m)
{
    if (*m->manifest->task) return m->manifest->task;
    return m->info->task == ENG_TASK_NONE ? "" : eng_task_name(m->info->task);
}

static void labels_of(const char *const **list, size_t *n, const cmd_model *m)
{
    const srv_manifest *const f = m->manifest;
    *n = f->n_labels ? f->n_labels : m->info->n_labels;
    *list = f->n_labels ? f->labels : m->info->labels;
}

static void print_texts(const char *title, const char *const *list, size_t n)
{
    if (!n) return;
    printf("%-10s", title);
    for (size_t i = 0; i < n && i < 12; i++)
        printf("%s %s", i ? "," : "", list[i]);
    if (n > 12) printf(", ... (%zu)", n);
    printf("\n");
}

/* Task, classes, features, and what the file says of itself. */
static void print_about(const cmd_model *m)
{
    const eng_info *const info = m->info;
    const char *const *labels;
    size_t n;
    labels_of(&labels, &n, m);
    if (*info->title || *info->about)
        printf("%-10s %s%s%s\n", "about", info->title, *info->title && *info->about ? ": " : "",
               info->about);
    if (*task_of(m)) printf("%-10s %s\n", "task", task_of(m));
    if (m->face.anomaly)
        printf("%-10s %s of %s is %s %.9g\n", "anomaly", "the score",
               info->outputs[m->anomaly.output].name, m->anomaly.above ? "above" : "below",
               m->anomaly.threshold);
    print_texts("classes", labels, n);
    print_texts("features", m->manifest->features, m->manifest->n_features);
    if (*info->signature) printf("%-10s %s\n", "signature", info->signature);
}

/* How the operands of integer products get their scales. */
static const char *activations_of(const eng_info *info)
{
    static const char *const names[] = {[ENG_PREC_FP32] = "float",
                                        [ENG_PREC_INT8] = "static",
                                        [ENG_PREC_INT4] = "static",
                                        [ENG_PREC_HYBRID] = "dynamic",
                                        [ENG_PREC_MIXED] = "mixed"};
    return names[info->precision];
}

static void print_activations(const cmd_model *m)
{
    printf("%-10s %s", "activations", activations_of(m->info));
    if (m->info->calibration_rows)
        printf(", ranges of %zu rows of %s", m->info->calibration_rows, m->calibration);
    else if (m->info->precision == ENG_PREC_HYBRID)
        printf(", each run finds its own ranges");
    printf("\n");
}

static void print_model(const cmd_model *m, const opts *o, const totals *t)
{
    const eng_info *const info = m->info;
    printf("%-10s %s (%zu bytes, %s)\n", "model", m->path, m->file_bytes, info->format);
    printf("%-10s %s%s%s, mode %s\n", "precision", eng_precision_name(info->precision),
           info->arith == ENG_ARITH_AUTO ? "" : ", arithmetic ",
           info->arith == ENG_ARITH_AUTO ? "" : eng_arith_name(info->arith),
           cmd_mode_name(o->engine.mode));
    print_activations(m);
    print_about(m);
    print_ios("inputs", info->inputs, info->in_notes, info->n_inputs);
    print_ios("outputs", info->outputs, info->out_notes, info->n_outputs);
    print_steps(m);
    printf("\n%-10s %zu steps, %llu MACs a row\n", "total", info->n_ops,
           (unsigned long long)info->macs);
    printf(
        "%-10s weights %zu bytes packed, arena %zu bytes (no plan can need less than %zu)\n"
        "           of the arena: activations alone %zu bytes (no plan can need less than %zu)\n",
        "memory", info->weight_bytes, info->arena_bytes, info->arena_bound, info->values_bytes,
        info->values_bound);
    print_energy(t);
    if (t->devices.n) inspect_devices_print(&t->devices, t->device_dir, &t->need);
}

static json_t *shape_json(const int64_t *dim, int rank, bool batched)
{
    json_t *list = json_array();
    for (int d = 0; d < rank; d++)
        json_array_append_new(list, json_integer(batched && d == 0 ? -1 : dim[d]));
    return list;
}

static json_t *quant_json(float scale, int32_t zero_point)
{
    return json_pack("{s:f, s:i}", "scale", (double)scale, "zero_point", (int)zero_point);
}

static json_t *floats_json(const float *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real((double)v[i]));
    return list;
}

static json_t *texts_json(const char *const *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(v[i]));
    return list;
}

static void add_note(json_t *o, const eng_io_note *n)
{
    const char *const keys[] = {"signature_name", "title", "description", "unit"};
    const char *const texts[] = {n->alias, n->title, n->description, n->unit};
    for (size_t i = 0; i < NF_COUNT(keys); i++)
        if (texts[i]) json_object_set_new(o, keys[i], json_string(texts[i]));
    if (n->n_mean) json_object_set_new(o, "mean", floats_json(n->mean, n->n_mean));
    if (n->n_deviation) json_object_set_new(o, "std", floats_json(n->deviation, n->n_deviation));
}

static json_t *ios_json(const eng_io *ios, const eng_io_note *notes, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "name", json_string(ios[i].name));
        json_object_set_new(o, "datatype", json_string(eng_dtype_oip(ios[i].dtype)));
        json_object_set_new(o, "shape", shape_json(ios[i].dim, ios[i].rank, ios[i].batched));
        if (ios[i].quantized)
            json_object_set_new(o, "quant", quant_json(ios[i].scale, ios[i].zero_point));
        add_note(o, &notes[i]);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *steps_json(const cmd_model *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->info->n_ops; i++) {
        eng_step_info s;
        eng_model_step(&s, m->model, i);
        json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "op", s.op, "kernel", s.kernel, "output",
                              s.output, "datatype", eng_dtype_oip(s.dtype));
        json_object_set_new(o, "shape", shape_json(s.dim, s.rank, false));
        if (s.quantized) json_object_set_new(o, "quant", quant_json(s.scale, s.zero_point));
        json_object_set_new(o, "macs", json_integer((json_int_t)s.macs));
        json_object_set_new(o, "weight_bytes", json_integer((json_int_t)s.weight_bytes));
        json_object_set_new(o, "arena_offset", json_integer((json_int_t)s.arena_offset));
        json_object_set_new(o, "out_bytes", json_integer((json_int_t)s.out_bytes));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *energy_json(const totals *t)
{
    return json_pack(
        "{s:b, s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "modelled", 1, "assumption", assumption,
        "compute_pj", t->cost.compute, "activations_pj", t->cost.activations, "weights_sram_pj",
        t->cost.weights_sram, "weights_dram_pj", t->cost.weights_dram, "total_sram_pj",
        eng_cost_total(&t->cost, false), "total_dram_pj", eng_cost_total(&t->cost, true));
}

static void print_json(const cmd_model *m, const opts *o, const totals *t)
{
    const eng_info *const info = m->info;
    const char *const *labels;
    size_t n;
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "model", m->path, "format", info->format, "mode",
                  cmd_mode_name(o->engine.mode), "precision", eng_precision_name(info->precision),
                  "arith", eng_arith_name(info->arith));
    json_object_set_new(root, "file_bytes", json_integer((json_int_t)m->file_bytes));
    json_object_set_new(root, "activations", json_string(activations_of(info)));
    json_object_set_new(root, "calibration_rows", json_integer((json_int_t)info->calibration_rows));
    labels_of(&labels, &n, m);
    json_object_set_new(root, "task", json_string(task_of(m)));
    json_object_set_new(root, "labels", texts_json(labels, n));
    json_object_set_new(root, "features",
                        texts_json(m->manifest->features, m->manifest->n_features));
    if (*info->signature) json_object_set_new(root, "signature", json_string(info->signature));
    if (m->face.anomaly)
        json_object_set_new(root, "anomaly",
                            json_pack("{s:s, s:f, s:s}", "output",
                                      info->outputs[m->anomaly.output].name, "threshold",
                                      m->anomaly.threshold, "direction",
                                      m->anomaly.above ? "above" : "below"));
    json_object_set_new(root, "inputs", ios_json(info->inputs, info->in_notes, info->n_inputs));
    json_object_set_new(root, "outputs", ios_json(info->outputs, info->out_notes, info->n_outputs));
    json_object_set_new(root, "steps", steps_json(m));
    json_object_set_new(root, "macs", json_integer((json_int_t)info->macs));
    json_object_set_new(root, "weight_bytes", json_integer((json_int_t)info->weight_bytes));
    json_object_set_new(root, "arena_bytes", json_integer((json_int_t)info->arena_bytes));
    json_object_set_new(root, "arena_bound", json_integer((json_int_t)info->arena_bound));
    json_object_set_new(root, "values_bytes", json_integer((json_int_t)info->values_bytes));
    json_object_set_new(root, "values_bound", json_integer((json_int_t)info->values_bound));
    json_object_set_new(root, "energy", energy_json(t));
    json_object_set_new(root, "devices", inspect_devices_json(&t->devices, &t->need));
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
}

static nf_status inspect(const cmd_model *m, const opts *o, nf_error *err)
{
    nf_status st;
    totals *t = nf_alloc(sizeof(*t), NF_MEM_MISC);
    if (!t) return nf_fail(err, NF_ENOMEM, "inspect", "no memory");
    add_up(t, m);
    st = find_devices(t, o, err);
    if (!st) (o->json ? print_json : print_model)(m, o, t);
    nf_free(t);
    return st;
}

int cmd_inspect(int argc, char **argv)
{
    opts o = {0};
    eng_options options;
    cmd_model m;
    nf_error err = {0};
    int n = 0;
    int status = cmd_options(&o, &spec, argc, argv, &n);
    if (status < 0) status = cmd_model_only(&m, &options, &o.engine, n, argv);
    if (status >= 0) return status;
    const nf_status st = inspect(&m, &o, &err);
    cmd_model_fini(&m);
    return st ? cmd_fail("inspect", &err) : 0;
}

/* cmd_validate.c - nearfar validate: recorded cases against a model. Layer: server/cmd. Thread
 * rule: main thread. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "server/case/case_check.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_model.h"
#include "server/cmd/cmd_options.h"
#include "server/cmd/validate_summary.h"
#include "server/table/float_rows.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIST_MOST ((size_t)16 << 20) /* bytes of a list of names */

typedef struct opts {
    cmd_engine engine;
    const char *model, *layers_from, *list;
    bool layers, verbose, json, summary, help;
} opts;

#define AT(field) offsetof(opts, field)

// clang-format off
static const nf_opt rows[] = {
    CMD_ENGINE_ROWS(opts, engine),
    {.name = "model", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(model),
     .help = "check this model on the same cases, in real units"},
    {.name = "layers", .kind = NF_OPT_FLAG, .offset = AT(layers),
     .help = "compare every step with layers.json too"},
    {.name = "layers-from", .arg = "DIR", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(layers_from),
     .help = "the same with the layers.json of this folder (nearfar run --dump-layers DIR)"},
    {.name = "list", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(list),
     .help = "only the folders below CASE that this file names, one a line"},
    {.name = "summary", .kind = NF_OPT_FLAG, .offset = AT(summary),
     .help = "a table of counts by format; with -v what failed, and why others are unsupported"},
    {.name = "verbose", .kind = NF_OPT_FLAG, .offset = AT(verbose),
     .help = "show the first element that is outside its tolerance"},
    {.name = "v", .kind = NF_OPT_FLAG, .offset = AT(verbose), .help = "the same"},
    {.name = "json", .kind = NF_OPT_FLAG, .offset = AT(json), .help = "print one JSON object"},
    CMD_HELP_ROW(opts),
};
// clang-format on

static const cmd_spec spec = {
    .usage = "nearfar validate CASE… [OPTIONS]",
    .what =
        "Runs recorded cases and compares every output with what was recorded. CASE is a folder\n"
        "with a case.json, an ONNX operator test (model.onnx and test_data_set_0), or a folder\n"
        "with such folders below it. The file's own precision runs, in the arithmetic its case\n"
        "names. Exit status: 0 only when every folder passes.",
    .example = "  nearfar validate models/temp\n"
               "  nearfar validate models/temp/1/golden/edge --mode cloud -v\n"
               "  nearfar validate --summary --list names.txt operator-tests\n",
    .table = {rows, NF_COUNT(rows)},
    .help = AT(help),
};

/* One run of the command. */
typedef struct report {
    const opts *o;
    srv_check_options options;
    validate_summary summary;
    json_t *folders; /* NULL without --json */
    srv_check check;
} report;

static const char *const verdicts[] = {"ok", "FAIL", "unsupported"};
static const char *const verdict_names[] = {"pass", "fail", "unsupported"};

static void print_output(const srv_check_output *out)
{
    const srv_diff *const d = &out->diff;
    printf("  %s: ", out->name);
    if (*out->shape[0]) {
        printf("shape %s, expected %s", out->shape[1], out->shape[0]);
        return;
    }
    if (!d->texts) printf("worst %.3g%s, ", d->worst, out->real_units ? " (real units)" : "");
    printf("%zu/%zu equal", d->equal, d->elems);
    if (out->alternative) printf(" (%zu cases match an alternative)", out->alternative);
}

static void print_details(const srv_check *c)
{
    for (size_t o = 0; o < c->n_outputs; o++) {
        const srv_check_output *const out = &c->out[o];
        if (!out->failed) continue;
        printf("      %s: %zu of %zu cases outside, first in case %zu", out->name, out->failed,
               c->items, out->item);
        if (out->diff.outside && out->diff.texts)
            printf(", element %zu: expected \"%s\", got \"%s\"", out->diff.first,
                   out->diff.want_text, out->diff.got_text);
        else if (out->diff.outside)
            printf(", element %zu: expected %.9g, got %.9g", out->diff.first, out->diff.want,
                   out->diff.got);
        printf("\n");
    }
}

static void print_scores(const srv_check *c)
{
    printf("      accuracy %.4f  precision %.4f  recall %.4f  F1 %.4f  same answer as recorded "
           "%zu/%zu\n",
           c->score.accuracy, c->score.precision, c->score.recall, c->score.f1, c->agree,
           c->scored);
}

static void print_layers(const srv_check_layers *l)
{
    printf("      layers: %zu of %zu equal", l->equal, l->compared);
    if (l->recorded > l->compared)
        printf(" (%zu recorded ones are no step's)", l->recorded - l->compared);
    if (*l->first)
        printf("; the first that differs is step %zu, %s, %s: %zu/%zu equal, element %zu: expected "
               "%.9g, got %.9g",
               l->first_step, l->first_op, l->first, l->first_diff.equal, l->first_diff.elems,
               l->first_diff.first, l->first_diff.want, l->first_diff.got);
    if (*l->worst)
        printf("; furthest off is %s: worst %.3g, %zu/%zu equal", l->worst, l->diff.worst,
               l->diff.equal, l->diff.elems);
    printf("\n");
}

static json_t *layers_json(const srv_check_layers *l)
{
    json_t *o = json_pack("{s:i, s:i, s:i, s:s}", "recorded", (int)l->recorded, "compared",
                          (int)l->compared, "equal", (int)l->equal, "worst", l->worst);
    if (*l->first)
        json_object_set_new(o, "first",
                            json_pack("{s:s, s:i, s:s, s:i, s:i}", "name", l->first, "step",
                                      (int)l->first_step, "op", l->first_op, "equal",
                                      (int)l->first_diff.equal, "elements",
                                      (int)l->first_diff.elems));
    return o;
}

static void print_check(const srv_check *c, const opts *o)
{
    printf("%-11s %-36s", verdicts[c->verdict], c->id);
    if (c->why.status) {
        printf("  %s%s%s\n", c->why.where, *c->why.where ? ": " : "", c->why.text);
        return;
    }
    printf("  %3zu cases  %s %s", c->items, eng_precision_name(c->precision),
           c->arith == ENG_ARITH_AUTO ? "" : eng_arith_name(c->arith));
    for (size_t i = 0; i < c->n_outputs; i++)
        print_output(&c->out[i]);
    printf("\n");
    if (o->verbose) print_details(c);
    if (c->scored) print_scores(c);
    if (c->layers.compared) print_layers(&c->layers);
}

static json_t *real_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *output_json(const srv_check_output *out)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(out->name));
    json_object_set_new(o, "elements", json_integer((json_int_t)out->diff.elems));
    json_object_set_new(o, "equal", json_integer((json_int_t)out->diff.equal));
    json_object_set_new(o, "outside", json_integer((json_int_t)out->diff.outside));
    json_object_set_new(o, "worst", real_or_null(out->diff.worst));
    json_object_set_new(o, "real_units", json_boolean(out->real_units));
    json_object_set_new(o, "alternative_cases", json_integer((json_int_t)out->alternative));
    json_object_set_new(o, "failed_cases", json_integer((json_int_t)out->failed));
    if (*out->shape[0]) {
        json_object_set_new(o, "expected_shape", json_string(out->shape[0]));
        json_object_set_new(o, "shape", json_string(out->shape[1]));
    }
    return o;
}

static json_t *scores_json(const srv_check *c)
{
    return json_pack("{s:i, s:f, s:f, s:f, s:f, s:i}", "rows", (int)c->scored, "accuracy",
                     c->score.accuracy, "precision", c->score.precision, "recall", c->score.recall,
                     "f1", c->score.f1, "agree", (int)c->agree);
}

static json_t *check_json(const srv_check *c)
{
    json_t *o = json_object(), *outputs = json_array();
    json_object_set_new(o, "id", json_string(c->id));
    json_object_set_new(o, "verdict", json_string(verdict_names[c->verdict]));
    if (c->why.status) {
        json_object_set_new(o, "code", json_string(nf_status_name(c->why.status)));
        json_object_set_new(o, "error", json_sprintf("%s: %s", c->why.where, c->why.text));
    }
    json_object_set_new(o, "precision", json_string(eng_precision_name(c->precision)));
    json_object_set_new(o, "arith", json_string(eng_arith_name(c->arith)));
    json_object_set_new(o, "cases", json_integer((json_int_t)c->items));
    json_object_set_new(o, "failed_cases", json_integer((json_int_t)c->failed));
    for (size_t i = 0; i < c->n_outputs; i++)
        json_array_append_new(outputs, output_json(&c->out[i]));
    json_object_set_new(o, "outputs", outputs);
    if (c->scored) json_object_set_new(o, "scores", scores_json(c));
    if (c->layers.compared) json_object_set_new(o, "layers", layers_json(&c->layers));
    return o;
}

static void one_folder(const char *dir, void *user)
{
    report *const r = user;
    srv_check_folder(&r->check, dir, &r->options);
    validate_summary_add(&r->summary, &r->check);
    if (r->folders)
        json_array_append_new(r->folders, check_json(&r->check));
    else if (!r->o->summary || (r->o->verbose && r->check.verdict == SRV_FAIL))
        print_check(&r->check, r->o);
    fflush(stdout);
}

static void print_summary(report *r)
{
    const size_t *const n = r->summary.count;
    if (r->folders) {
        json_t *o = validate_summary_json(&r->summary);
        if (!r->o->summary) json_object_set(o, "folders", r->folders);
        json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
        putchar('\n');
        json_decref(o);
        return;
    }
    if (r->o->summary) validate_summary_print(&r->summary, r->o->verbose);
    printf("%zu of %zu folders passed, %zu failed, %zu unsupported\n", n[SRV_PASS],
           n[SRV_PASS] + n[SRV_FAIL] + n[SRV_UNSUPPORTED], n[SRV_FAIL], n[SRV_UNSUPPORTED]);
}

/* One name of a list. */
static nf_status listed_folder(report *r, const char *path, nf_span name, nf_error *err)
{
    char text[512];
    char *dir = NULL;
    if (name.len == 0) return NF_OK;
    if (name.len >= sizeof(text)) return nf_fail(err, NF_EINVAL, r->o->list, "a name is too long");
    snprintf(text, sizeof(text), "%.*s", (int)name.len, name.s);
    nf_status st = srv_case_path(&dir, path, text, err);
    if (!st) st = srv_case_walk(dir, one_folder, r, err);
    nf_free(dir);
    return st;
}

/* The folders below `path` that a list names; what stands behind a blank or '#' is passed over. */
static nf_status listed_folders(report *r, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    nf_status st = nf_read_file(&file, r->o->list, LIST_MOST, NF_MEM_MISC, err);
    if (st) return st;
    const char *at = (const char *)file.data, *const end = at + file.len;
    while (!st && at < end) {
        const char *const eol = memchr(at, '\n', (size_t)(end - at));
        nf_span name = {at, 0};
        while (at + name.len < (eol ? eol : end) && !strchr("# \t\r", at[name.len]))
            name.len++;
        st = listed_folder(r, path, name, err);
        at = eol ? eol + 1 : end;
    }
    nf_free((void *)file.data);
    return st;
}

/* Takes --model as a file or a folder. */
static nf_status other_model(report *r, char path[CMD_PATH_SIZE], nf_error *err)
{
    nf_status st;
    if (!*r->o->model) return NF_OK;
    if ((st = cmd_model_find(path, r->o->model, r->options.engine.mode, err))) return st;
    r->options.model = path;
    return NF_OK;
}

/* All folders, with the rows of --calibration where there are any. */
static nf_status check_folders(report *r, char **paths, int n, nf_error *err)
{
    srv_rows table = {0};
    const char *const file = r->o->engine.calibration;
    nf_status st = *file ? srv_rows_read(&table, file, err) : NF_OK;
    const eng_calibration c = {table.v, table.n, table.width, file};
    r->options.engine.calibration = *file ? &c : NULL;
    for (int i = 0; i < n && !st; i++)
        st = *r->o->list ? listed_folders(r, paths[i], err)
                         : srv_case_walk(paths[i], one_folder, r, err);
    r->options.engine.calibration = NULL;
    srv_rows_fini(&table);
    return st;
}

static int validate(report *r, char **paths, int n)
{
    char model[CMD_PATH_SIZE];
    nf_error err = {0};
    nf_status st = cmd_engine_options(&r->options.engine, &r->o->engine, &err);
    if (st) {
        cmd_fail("validate", &err);
        return CMD_USAGE;
    }
    st = other_model(r, model, &err);
    if (!st) st = check_folders(r, paths, n, &err);
    r->options.model = NULL; /* it was in a buffer of this function */
    if (st) return cmd_fail("validate", &err);
    print_summary(r);
    return r->summary.count[SRV_FAIL] || r->summary.count[SRV_UNSUPPORTED] ? CMD_FAILED : 0;
}

int cmd_validate(int argc, char **argv)
{
    static report r; /* too large for the stack */
    opts o = {0};
    int n = 0;
    int status = cmd_options(&o, &spec, argc, argv, &n);
    if (status >= 0) return status;
    if (n == 0) {
        fprintf(stderr, "nearfar validate: expected a CASE folder (see --help)\n");
        return CMD_USAGE;
    }
    r = (report){.o = &o, .options.layers = o.layers || *o.layers_from};
    if (*o.layers_from) r.options.layers_dir = o.layers_from;
    if (o.json) r.folders = json_array();
    status = validate(&r, argv + 1, n);
    json_decref(r.folders);
    return status;
}

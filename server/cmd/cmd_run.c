/* cmd_run.c - nearfar run: predictions without a server. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/case/layers_write.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_options.h"
#include "server/cmd/run_stream.h"
#include "server/table/decimal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct opts {
    cmd_engine engine;
    const char *input, *csv, *ndjson, *raw, *out;
    const char *columns, *separator, *missing, *dump_layers;
    int to, header, progress;
    bool raw_own, skip_bad, json, help;
} opts;

#define AT(field) offsetof(opts, field)

// clang-format off
static const nf_opt rows[] = {
    {.name = "input", .arg = "JSON", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(input),
     .help = "one instance, nested or flat, or a list of them"},
    {.name = "csv", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(csv),
     .help = "one row a record; - is stdin"},
    {.name = "ndjson", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(ndjson),
     .help = "one JSON instance a line; - is stdin"},
    {.name = "raw", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(raw),
     .help = "rows of little-endian numbers, float32 where the model is 8-bit; - is stdin"},
    {.name = "out", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(out),
     .help = "answers go here and not to stdout"},
    {.name = "to", .dflt = "same", .kind = NF_OPT_PICK, .choices = "csv|ndjson|raw|same",
     .offset = AT(to), .help = "form of the answers; same: that of the file"},
    {.name = "header", .dflt = "auto", .kind = NF_OPT_PICK, .choices = "auto|yes|no",
     .offset = AT(header), .help = "CSV: is the first record one; auto: when a cell is no value"},
    {.name = "separator", .arg = "CHAR", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(separator),
     .help = "CSV: between cells, or tab; without it , or ; or tab, as the first record has it"},
    {.name = "columns", .arg = "LIST", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(columns),
     .help = "CSV: a,b or x=a,b;y=c: columns (names, or numbers from 1) of the inputs"},
    {.name = "missing", .arg = "HOW", .dflt = "nan", .kind = NF_OPT_TEXT, .offset = AT(missing),
     .help = "CSV: an empty cell or NA is nan, refuse, or this number"},
    {.name = "skip-bad", .kind = NF_OPT_FLAG, .offset = AT(skip_bad),
     .help = "report bad rows, count them, and go on"},
    {.name = "raw-own", .kind = NF_OPT_FLAG, .offset = AT(raw_own),
     .help = "raw: 8-bit numbers as the model has them, in and out"},
    {.name = "progress", .dflt = "auto", .kind = NF_OPT_PICK, .choices = "auto|yes|no",
     .offset = AT(progress), .help = "rows, rate and time left on stderr; auto: on a terminal"},
    {.name = "dump-layers", .arg = "DIR", .dflt = "", .kind = NF_OPT_TEXT,
     .offset = AT(dump_layers),
     .help = "every step's result of the first row: DIR/layers.json and DIR/layers/*.bin"},
    CMD_ENGINE_ROWS(opts, engine),
    {.name = "json", .kind = NF_OPT_FLAG, .offset = AT(json),
     .help = "answer --input with the JSON that a server would send"},
    CMD_HELP_ROW(opts),
};
// clang-format on

static const cmd_spec spec = {
    .usage = "nearfar run MODEL --input JSON | --csv FILE | --ndjson FILE | --raw FILE [OPTIONS]",
    .what =
        "Predicts on the command line: one instance, or every row of a file. MODEL is a file,\n"
        "or a folder of one model or version. Labels come from labels.txt or model.json. A CSV\n"
        "column called label is compared with the answers. Inputs take columns in their order; a\n"
        "model of several inputs takes those that the header names like them.",
    .example = "  nearfar run models/temp --input '[22.0,23.5,21.0]'\n"
               "  nearfar run models/temp --csv models/temp/testset.csv --out answers.csv\n",
    .table = {rows, NF_COUNT(rows)},
    .help = AT(help),
};

static void print_element(const eng_view *v, size_t i)
{
    const nf_span *const text = v->data;
    if (v->dtype == ENG_STR)
        printf(" \"%.*s\"", (int)(text[i].len < 4096 ? text[i].len : 4096), text[i].s);
    else
        printf(" %.6g", srv_value_of(v, i));
}

static void print_row(const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const srv_face *const f = &r->m->face;
    const long best = run_model_class(r, row);
    for (size_t i = 0; i < info->n_outputs; i++) {
        const size_t n = run_model_row(r, i);
        printf("%s%s:", i ? "  " : "", info->outputs[i].name);
        for (size_t k = 0; k < n; k++)
            print_element(&r->call.out[i], row * n + k);
    }
    if (best >= 0)
        printf("  -> %s (%.4g)", f->labels[best],
               srv_value_of(&r->call.out[f->scores], row * f->n_labels + (size_t)best));
    if (f->anomaly) {
        const double score = srv_value_of(&r->call.out[f->anomaly->output], row);
        const bool is =
            f->anomaly->above ? score > f->anomaly->threshold : score < f->anomaly->threshold;
        printf("  -> %s (threshold %.6g)", is ? "anomaly" : "normal", f->anomaly->threshold);
    }
    printf("\n");
}

/* What a server would send. */
static nf_status print_reply(const run_model *r, nf_error *err)
{
    srv_buf b = {.most = (size_t)1 << 30};
    srv_predict_encode(&b, &r->call, &r->m->face);
    const bool good = !b.failed && fwrite(b.data, 1, b.len, stdout) == b.len;
    srv_buf_fini(&b);
    return good ? NF_OK : nf_fail(err, NF_EIO, "stdout", "cannot write the answer");
}

static nf_status run_input(run_model *r, const opts *o, nf_error *err)
{
    const eng_info *const info = r->m->info;
    nf_status st = run_model_json(r, (nf_span){o->input, strlen(o->input)}, "--input", err);
    if (st) return st;
    if (*o->dump_layers && (st = srv_layers_write(o->dump_layers, r->m->model, r->call.in, err)))
        return st;
    if (o->json) return print_reply(r, err);
    for (size_t row = 0; row < r->call.rows; row++)
        print_row(r, row);
    fprintf(stderr, "%s, %s%s%s, %llu us in the engine\n", r->m->path,
            eng_precision_name(info->precision), info->arith == ENG_ARITH_AUTO ? "" : " ",
            info->arith == ENG_ARITH_AUTO ? "" : eng_arith_name(info->arith),
            (unsigned long long)r->run_us);
    return NF_OK;
}

static nf_status open_file(FILE **out, FILE *standard, const char *name, const char *how,
                           nf_error *err)
{
    *out = standard;
    if (!*name || strcmp(name, "-") == 0) return NF_OK;
    *out = fopen(name, how);
    if (*out) return NF_OK;
    return nf_fail(err, errno == ENOENT ? NF_ENOTFOUND : NF_EIO, name, "cannot open: %s",
                   strerror(errno));
}

static nf_status read_missing(run_stream *s, const char *how, nf_error *err)
{
    double ignored;
    s->missing = RUN_MISSING_NAN;
    if (strcmp(how, "nan") == 0) return NF_OK;
    s->missing = RUN_MISSING_REFUSE;
    if (strcmp(how, "refuse") == 0) return NF_OK;
    s->missing = RUN_MISSING_FILL;
    s->fill = how;
    if (srv_decimal_f64(&ignored, how, strlen(how))) return NF_OK;
    return nf_fail(err, NF_EINVAL, "missing", "expected nan, refuse or a number, got '%s'", how);
}

static nf_status read_separator(run_stream *s, const char *text, nf_error *err)
{
    if (strcmp(text, "tab") == 0) text = "\t";
    if (strlen(text) > 1 || (*text && strchr("\"\n\r .+-0123456789", *text)))
        return nf_fail(err, NF_EINVAL, "separator", "expected one character or tab, got '%s'",
                       text);
    s->separator = *text;
    return NF_OK;
}

static run_progress progress_of(const opts *o)
{
    const bool terminal = isatty(STDERR_FILENO);
    if (o->progress == 2) return RUN_PROGRESS_NONE;
    if (o->progress == 1) return terminal ? RUN_PROGRESS_LINE : RUN_PROGRESS_LOG;
    return terminal && (*o->out || !isatty(STDOUT_FILENO)) ? RUN_PROGRESS_LINE : RUN_PROGRESS_NONE;
}

/* Which file, in which form, to which form. */
static nf_status plan_stream(run_stream *s, const opts *o, nf_error *err)
{
    const char *const names[] = {[RUN_CSV] = o->csv, [RUN_NDJSON] = o->ndjson, [RUN_RAW] = o->raw};
    nf_status st;
    for (int f = RUN_CSV; f <= RUN_RAW; f++)
        if (*names[f]) s->from = (run_format)f;
    s->name = names[s->from];
    s->to = o->to > RUN_RAW ? s->from : (run_format)o->to;
    s->columns = o->columns;
    s->dump_dir = o->dump_layers;
    s->header = (run_header)o->header;
    s->raw_own = o->raw_own;
    s->skip_bad = o->skip_bad;
    s->progress = progress_of(o);
    if ((st = read_missing(s, o->missing, err))) return st;
    return read_separator(s, o->separator, err);
}

static void print_summary(const run_stream *s)
{
    fprintf(stderr, "%" PRIu64 " rows", s->rows);
    if (s->skipped) fprintf(stderr, ", %" PRIu64 " bad ones skipped", s->skipped);
    fprintf(stderr, " in %.3g s, %.0f rows/s", s->seconds, (double)s->rows / s->seconds);
    if (s->labelled)
        fprintf(stderr, ", %" PRIu64 " of %" PRIu64 " labels right: accuracy %.4f", s->right,
                s->labelled, (double)s->right / (double)s->labelled);
    fprintf(stderr, "\n");
}

static nf_status run_file(run_stream *s, const opts *o, nf_error *err)
{
    nf_status st = open_file(&s->in, stdin, s->name, "re", err);
    if (!st) st = open_file(&s->out, stdout, o->out, "we", err);
    if (!st) st = run_stream_all(s, err);
    if (s->in && s->in != stdin) fclose(s->in);
    if (s->out && s->out != stdout && fclose(s->out) && !st)
        st = nf_fail(err, NF_EIO, o->out, "cannot write: %s", strerror(errno));
    if (!st) print_summary(s);
    return st;
}

static nf_status run(run_stream *s, const opts *o, const char *what, const eng_options *options,
                     nf_error *err)
{
    cmd_model m;
    run_model r = {0};
    nf_status st = cmd_model_open(&m, what, options, o->engine.calibration, err);
    if (st) return st;
    st = run_model_init(&r, &m, err);
    s->model = &r;
    if (!st) st = *o->input ? run_input(&r, o, err) : run_file(s, o, err);
    run_model_fini(&r);
    cmd_model_fini(&m);
    return st;
}

int cmd_run(int argc, char **argv)
{
    opts o = {0};
    eng_options options;
    run_stream s = {0};
    nf_error err = {0};
    int n = 0;
    const int status = cmd_options(&o, &spec, argc, argv, &n);
    if (status >= 0) return status;
    if (n != 1 || !!*o.input + !!*o.csv + !!*o.ndjson + !!*o.raw != 1) {
        fprintf(stderr, "nearfar run: expected one MODEL and one of --input, --csv, --ndjson and "
                        "--raw (see --help)\n");
        return CMD_USAGE;
    }
    if (cmd_engine_options(&options, &o.engine, &err) || plan_stream(&s, &o, &err)) {
        cmd_fail("run", &err);
        return CMD_USAGE;
    }
    return run(&s, &o, argv[1], &options, &err) ? cmd_fail("run", &err) : 0;
}

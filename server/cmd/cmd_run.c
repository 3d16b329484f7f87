/* cmd_run.c - nearfar run: predictions without a server. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_options.h"
#include "server/cmd/run_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct opts {
    cmd_engine engine;
    const char *input, *csv, *ndjson, *out;
    bool json, help;
} opts;

#define AT(field) offsetof(opts, field)

// clang-format off
static const nf_opt rows[] = {
    {.name = "input", .arg = "JSON", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(input),
     .help = "one instance, nested or flat, or a list of them"},
    {.name = "csv", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(csv),
     .help = "one row a line, with or without a header; - is stdin"},
    {.name = "ndjson", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(ndjson),
     .help = "one JSON instance a line; - is stdin"},
    {.name = "out", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(out),
     .help = "answers go here and not to stdout"},
    CMD_ENGINE_ROWS(opts, engine),
    {.name = "json", .kind = NF_OPT_FLAG, .offset = AT(json),
     .help = "answer --input with the JSON that a server would send"},
    CMD_HELP_ROW(opts),
};
// clang-format on

static const cmd_spec spec = {
    .usage = "nearfar run MODEL --input JSON | --csv FILE | --ndjson FILE [OPTIONS]",
    .what =
        "Predicts on the command line: one instance, or every line of a file. MODEL is a file,\n"
        "or a folder of one model or version. Labels come from labels.txt or model.json. A CSV\n"
        "column called label is compared with the answers.",
    .example = "  nearfar run models/temp --input '[22.0,23.5,21.0]'\n"
               "  nearfar run models/temp --csv models/temp/testset.csv --out answers.csv\n",
    .table = {rows, NF_COUNT(rows)},
    .help = AT(help),
};

static void print_row(const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const long best = run_model_class(r, row);
    for (size_t i = 0; i < info->n_outputs; i++) {
        const size_t n = info->outputs[i].row_elems;
        printf("%s%s:", i ? "  " : "", info->outputs[i].name);
        for (size_t k = 0; k < n; k++)
            printf(" %.6g", run_model_value(r, i, row * n + k));
    }
    if (best >= 0) {
        const size_t n = info->outputs[0].row_elems;
        printf("  -> %s (%.4g)", cmd_model_labels(r->m, n)[best],
               run_model_value(r, 0, row * n + (size_t)best));
    }
    printf("\n");
}

/* What a server would send. */
static nf_status print_reply(const run_model *r, nf_error *err)
{
    const size_t n = r->m->info->outputs[0].row_elems;
    const srv_face face = {.name = r->m->name,
                           .version = r->m->version,
                           .info = r->m->info,
                           .labels = r->m->info->n_outputs == 1 ? cmd_model_labels(r->m, n) : NULL};
    srv_buf b = {.most = (size_t)1 << 30};
    srv_predict_encode(&b, &r->call, &face);
    const bool good = !b.failed && fwrite(b.data, 1, b.len, stdout) == b.len;
    srv_buf_fini(&b);
    return good ? NF_OK : nf_fail(err, NF_EIO, "stdout", "cannot write the answer");
}

static nf_status run_input(run_model *r, const opts *o, nf_error *err)
{
    const eng_info *const info = r->m->info;
    nf_status st = run_model_json(r, (nf_span){o->input, strlen(o->input)}, "--input", err);
    if (st) return st;
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

static nf_status run_file(run_model *r, const opts *o, nf_error *err)
{
    const char *const name = *o->csv ? o->csv : o->ndjson;
    run_stream s = {.model = r,
                    .format = *o->csv ? RUN_CSV : RUN_NDJSON,
                    .name = name,
                    .progress = isatty(STDERR_FILENO) && (*o->out || !isatty(STDOUT_FILENO))};
    nf_status st = open_file(&s.in, stdin, name, "re", err);
    if (!st) st = open_file(&s.out, stdout, o->out, "we", err);
    if (!st) st = run_stream_all(&s, err);
    if (s.in && s.in != stdin) fclose(s.in);
    if (s.out && s.out != stdout && fclose(s.out) && !st)
        st = nf_fail(err, NF_EIO, o->out, "cannot write: %s", strerror(errno));
    if (st) return st;
    fprintf(stderr, "%llu rows", (unsigned long long)s.rows);
    if (s.labelled)
        fprintf(stderr, ", %llu of %llu labels right: accuracy %.4f", (unsigned long long)s.right,
                (unsigned long long)s.labelled, (double)s.right / (double)s.labelled);
    fprintf(stderr, "\n");
    return NF_OK;
}

static nf_status run(const opts *o, const char *what, const eng_options *options, nf_error *err)
{
    cmd_model m;
    run_model r = {0};
    nf_status st = cmd_model_open(&m, what, options, err);
    if (st) return st;
    st = run_model_init(&r, &m, err);
    if (!st) st = *o->input ? run_input(&r, o, err) : run_file(&r, o, err);
    run_model_fini(&r);
    cmd_model_fini(&m);
    return st;
}

int cmd_run(int argc, char **argv)
{
    opts o = {0};
    eng_options options;
    nf_error err = {0};
    int n = 0;
    const int status = cmd_options(&o, &spec, argc, argv, &n);
    if (status >= 0) return status;
    if (n != 1 || !!*o.input + !!*o.csv + !!*o.ndjson != 1) {
        fprintf(stderr, "nearfar run: expected one MODEL and one of --input, --csv and --ndjson "
                        "(see --help)\n");
        return CMD_USAGE;
    }
    if (cmd_engine_options(&options, &o.engine, &err)) {
        cmd_fail("run", &err);
        return CMD_USAGE;
    }
    return run(&o, argv[1], &options, &err) ? cmd_fail("run", &err) : 0;
}

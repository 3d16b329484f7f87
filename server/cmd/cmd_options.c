/* cmd_options.c - --help, errors and the engine's options, the same for every command. Layer:
 * server/cmd. Thread rule: main thread. */
#include "server/cmd/cmd_options.h"

#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

static void print_help(const cmd_spec *spec)
{
    printf("usage: %s\n\n%s\n\n", spec->usage, spec->what);
    nf_opts_help(stdout, spec->table);
    printf("\nexample:\n%s", spec->example);
}

int cmd_options(void *opts, const cmd_spec *spec, int argc, char **argv, int *n_rest)
{
    nf_error err = {0};
    nf_status st = nf_opts_defaults(opts, spec->table, &err);
    if (!st) st = nf_opts_argv(opts, spec->table, argc, argv, n_rest, &err);
    if (st) {
        cmd_fail(argv[0], &err);
        return CMD_USAGE;
    }
    if (*(const bool *)((const char *)opts + spec->help)) {
        print_help(spec);
        return 0;
    }
    return -1;
}

nf_status cmd_engine_options(eng_options *out, const cmd_engine *chosen, nf_error *err)
{
    *out = (eng_options){.mode = (eng_mode)chosen->mode,
                         .precision = (eng_precision)chosen->precision,
                         .arith = (eng_arith)chosen->arith};
    if (*chosen->calibration && out->mode != ENG_MODE_EDGE && out->precision != ENG_PREC_INT8)
        return nf_fail(err, NF_EINVAL, "calibration",
                       "is for INT8: expected --mode edge or --precision int8 with it");
    return *chosen->isa ? eng_isa_parse(&out->isa, chosen->isa, err) : NF_OK;
}

int cmd_fail(const char *command, const nf_error *err)
{
    fprintf(stderr, "nearfar %s: %s%s%s\n", command, err->where, *err->where ? ": " : "",
            *err->text ? err->text : nf_status_text(err->status));
    return CMD_FAILED;
}

const char *cmd_mode_name(int mode)
{
    static const char *const names[] = {"file", "edge", "cloud"};
    return names[mode];
}

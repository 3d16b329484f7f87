/* client_cmd.c - parsing and complaining, the same for every subcommand. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    nf_status status;
    cl_exit code;
} exits[] = {
    {NF_EINVAL, CL_EXIT_USAGE},           {NF_EUNSUPPORTED, CL_EXIT_USAGE},
    {NF_ETOOLARGE, CL_EXIT_USAGE},        {NF_ENOTFOUND, CL_EXIT_USAGE},
    {NF_ETIMEOUT, CL_EXIT_INTERRUPTED},   {NF_ELOADING, CL_EXIT_UNREACHABLE},
    {NF_EDENIED, CL_EXIT_ANSWERED_ERROR},
};

int cl_cmd_fail(const char *name, nf_status st, const nf_error *err)
{
    if (st != NF_ETIMEOUT)
        fprintf(stderr, "nearfar-client %s: %s%s%s\n", name, err->where, err->where[0] ? ": " : "",
                err->text);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        if (exits[i].status == st) return exits[i].code;
    return CL_EXIT_LOCAL;
}

static void print_help(const cl_usage *u)
{
    fprintf(stdout, "Usage: nearfar-client %s %s\n%s\n\nOptions:\n", u->name, u->synopsis,
            u->about);
    nf_opts_help(stdout, u->table);
    fprintf(stdout, "\nExample:\n  %s\n", u->example);
}

bool cl_cmd_parse(void *opts, const cl_usage *u, int most_rest, int argc, char **argv,
                  int *n_rest_or_code)
{
    nf_error err = {0};
    bool help = false;
    int n = 0;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        help = help || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (help) {
        print_help(u);
        *n_rest_or_code = CL_EXIT_OK;
        return false;
    }
    nf_status st = nf_opts_defaults(opts, u->table, &err);
    if (!st) st = nf_opts_argv(opts, u->table, argc, argv, &n, &err);
    if (!st && n > most_rest)
        st = nf_fail(&err, NF_EINVAL, argv[most_rest + 1], "expected %d words that are no option",
                     most_rest);
    *n_rest_or_code = st ? cl_cmd_fail(u->name, st, &err) : n;
    return st == NF_OK;
}

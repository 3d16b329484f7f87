/* main.c - picks the subcommand. Layer: server (program). Thread rule: main thread. */
#include "engine/base/bytes.h"
#include "server/cmd/cmd.h"

#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name, *help;
    int (*fn)(int argc, char **argv);
} command;

static const command commands[] = {
    {"serve", "serve models over HTTP", cmd_serve},
    {"run", "predict on the command line: one input, or a file of them", cmd_run},
    {"inspect", "show a model's graph, precision, memory and cost", cmd_inspect},
    {"validate", "check a model against recorded cases", cmd_validate},
    {"bench", "measure the engine alone", cmd_bench},
    {"health", "ask a server whether it is ready (exit 0 = yes)", cmd_health},
};

static void usage(FILE *to)
{
    fprintf(to, "usage: nearfar COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < NF_COUNT(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\n  --version  version, compiled features, CPU kernels, BLAS core\n"
                "  --help     this text; 'nearfar COMMAND --help' for each command\n\n"
                "example:\n"
                "  nearfar serve --models models &\n"
                "  curl -d '{\"instances\":[[22.0,23.5,21.0]]}' \\\n"
                "      http://127.0.0.1:8080/v1/models/temp/predict\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) return cmd_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < NF_COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0) return commands[i].fn(argc - 1, argv + 1);
    if (*name) fprintf(stderr, "nearfar: no command '%s'\n", name);
    usage(stderr);
    return 2;
}

/* main.c - nearfar-client: finds the subcommand. Layer: clients. */
#include "clients/cmd/client_cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *help;
    cl_cmd_fn run;
} commands[] = {
    {"predict", "ask one question and print the answer", cl_cmd_predict},
    {"ping", "how far a server is: name, connect, first byte, kernel round trip", cl_cmd_ping},
    {"bench", "how fast one target answers under load", cl_cmd_bench},
    {"compare", "edge against cloud: paired, interleaved, with a verdict", cl_cmd_compare},
    {"sweep", "edge against cloud over a grid of round trips and uplinks: the crossover",
     cl_cmd_sweep},
    {"model", "the same computed, without a network", cl_cmd_model},
    {"report", "saved runs as one HTML page", cl_cmd_report},
    {"diff", "what changed between two saved runs; fails a build", cl_cmd_diff},
    {"link", "an emulated network between two addresses", cl_cmd_link},
    {"doctor", "what this host can emulate and measure, and why not", cl_cmd_doctor},
};

static const struct {
    int code;
    const char *text;
} exits[] = {
#define X(name, code, text) {code, text},
    CL_EXIT_MAP(X)
#undef X
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void print_help(FILE *to)
{
    fputs("Usage: nearfar-client COMMAND [options]\n"
          "Measures what it costs to serve a model near the data or far from it.\n\nCommands:\n",
          to);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\nnearfar-client COMMAND --help lists its options.\n\nExit status:\n", to);
    for (size_t i = 0; i < COUNT(exits); i++)
        fprintf(to, "  %-10d %s\n", exits[i].code, exits[i].text);
    fputs("\nExample:\n  nearfar-client compare --edge http://127.0.0.1:8080 "
          "--cloud http://127.0.0.1:8081 --model temp\n",
          to);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(word, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help(stdout);
        return CL_EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("nearfar-client %s (%s), libuv %s\n", NF_VERSION, NF_GIT_ID, uv_version_string());
        return CL_EXIT_OK;
    }
    if (word[0])
        fprintf(stderr, "nearfar-client: unknown command '%s' (see --help)\n", word);
    else
        print_help(stderr);
    return CL_EXIT_USAGE;
}

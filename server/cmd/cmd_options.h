/* cmd_options.h - the options that every command has in common. Layer: server/cmd. Thread rule:
 * main thread. */
#ifndef SRV_CMD_OPTIONS_H
#define SRV_CMD_OPTIONS_H

#include "engine/base/opts.h"
#include "engine/options.h"

#define CMD_FAILED 1 /* the work failed */
#define CMD_USAGE  2 /* the command line was wrong */

/* What a command says about itself. */
typedef struct cmd_spec {
    const char *usage;   /* "nearfar run MODEL [OPTIONS]" */
    const char *what;    /* one paragraph */
    const char *example; /* one worked example, ends in a newline */
    nf_opt_table table;
    size_t help; /* offset of the bool that --help sets */
} cmd_spec;

/* How a command runs a model; the rows below fill it. */
typedef struct cmd_engine {
    int mode, precision, arith; /* eng_mode, eng_precision, eng_arith */
    const char *isa;            /* "" = every one the CPU has */
    const char *calibration;    /* file; "" = what stands beside the model */
} cmd_engine;

// clang-format off
// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in them
/* Rows for a `cmd_engine` that is the member `field` of `type`. */
#define CMD_ENGINE_ROWS(type, field)                                                               \
    {.name = "mode", .dflt = "file", .kind = NF_OPT_PICK, .choices = "file|edge|cloud",            \
     .help = "file: its own precision, edge: INT8, cloud: FP32",                                   \
     .offset = offsetof(type, field.mode)},                                                        \
    {.name = "precision", .dflt = "auto", .kind = NF_OPT_PICK,                                     \
     .choices = "auto|fp32|int8|int4", .help = "overrides what the mode picks",                    \
     .offset = offsetof(type, field.precision)},                                                   \
    {.name = "arith", .dflt = "auto", .kind = NF_OPT_PICK,                                         \
     .choices = "auto|litert|reference|onnx", .help = "arithmetic of the integer operators",       \
     .offset = offsetof(type, field.arith)},                                                       \
    {.name = "isa", .arg = "NAME", .dflt = "", .kind = NF_OPT_TEXT,                                \
     .help = "use no CPU feature above: scalar, avx2, avxvnni, avx512, avx512vnni, avx512vbmi, neon",                             \
     .offset = offsetof(type, field.isa)},                                                         \
    {.name = "calibration", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT,                        \
     .help = "NPY or CSV rows: fixed INT8 ranges for an FP32 model; without it calibration.npy "   \
             "or .csv beside the model",                                                           \
     .offset = offsetof(type, field.calibration)}

#define CMD_HELP_ROW(type)                                                                         \
    {.name = "help", .kind = NF_OPT_FLAG, .help = "this text", .offset = offsetof(type, help)}
// NOLINTEND(bugprone-macro-parentheses)
// clang-format on

/** Sets defaults, reads argv, moves what is no option to argv[1..*n_rest]. Returns -1 to go on, or
 * the exit status: 0 after --help, CMD_USAGE after an error that it has printed. */
int cmd_options(void *opts, const cmd_spec *spec, int argc, char **argv, int *n_rest);

/** What the engine takes. NF_EINVAL: no such --isa, or --calibration
 * where no INT8 is asked for. */
nf_status cmd_engine_options(eng_options *out, const cmd_engine *chosen, nf_error *err);

/** Prints "nearfar run: where: text" to stderr and returns CMD_FAILED. */
int cmd_fail(const char *command, const nf_error *err);

/** "file", "edge" or "cloud". */
const char *cmd_mode_name(int mode);

#endif /* SRV_CMD_OPTIONS_H */

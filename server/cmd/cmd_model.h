/* cmd_model.h - a model named on the command line, and its labels. Layer: server/cmd. Thread rule:
 * main thread; the model itself may be shared. */
#ifndef SRV_CMD_MODEL_H
#define SRV_CMD_MODEL_H

#include "engine/model.h"

#define CMD_MAX_MODEL ((size_t)1 << 30) /* bytes of a model file */
#define CMD_PATH_SIZE 4096

typedef struct cmd_labels {
    char **names; /* owned */
    size_t n;
} cmd_labels;

typedef struct cmd_model {
    char path[CMD_PATH_SIZE]; /* the file that was read */
    size_t file_bytes;
    eng_model *model;
    cmd_labels labels; /* n is 0 where there are none */
} cmd_model;

/**
 * Writes the model file that `what` stands for: a file is itself; a folder gives its edge.*,
 * cloud.* or model.* as the mode says, else its only kind of model file, else what its highest
 * numeric subfolder gives. NF_ENOTFOUND; NF_ETOOLARGE (path too long).
 */
nf_status cmd_model_find(char path[CMD_PATH_SIZE], const char *what, eng_mode mode, nf_error *err);

/** Finds, reads and compiles a model, and reads labels.txt or model.json beside it or one folder
 * up. Returns what eng_model_load returns, or NF_ENOTFOUND, NF_EIO, NF_ETOOLARGE. On an error *out
 * holds nothing. */
nf_status cmd_model_open(cmd_model *out, const char *what, const eng_options *options,
                         nf_error *err);

/** Frees what cmd_model_open gave; accepts a zeroed one. */
void cmd_model_fini(cmd_model *m);

/** Reads labels.txt (one a line) or "labels" of model.json in the folder of `path` or its parent.
 * No such file is no error. NF_EINVAL (malformed model.json); NF_ENOMEM. */
nf_status cmd_labels_read(cmd_labels *out, const char *path, nf_error *err);
void cmd_labels_fini(cmd_labels *labels);

#endif /* SRV_CMD_MODEL_H */

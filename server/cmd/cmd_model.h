/* cmd_model.h - a model named on the command line. Layer: server/cmd. Thread rule: main thread; the
 * model itself may be shared. */
#ifndef SRV_CMD_MODEL_H
#define SRV_CMD_MODEL_H

#include "engine/model.h"
#include "server/cmd/cmd_options.h"
#include "server/codec/codec.h"
#include "server/registry/served_model.h"

#define CMD_MAX_MODEL ((size_t)1 << 30) /* bytes of a model file */
#define CMD_PATH_SIZE 4096

typedef struct cmd_model {
    char path[CMD_PATH_SIZE]; /* the file that was read */
    size_t file_bytes;
    char calibration[CMD_PATH_SIZE]; /* the file whose rows calibrated it; "" = none did */
    char name[SRV_NAME_MOST + 1], version[24];
    eng_model *model;
    const eng_info *info;   /* borrowed from model */
    srv_manifest *manifest; /* model.json and labels.txt beside the file or one folder up */
    srv_face face;          /* what a reply says of classes and anomalies, as the server does */
    srv_anomaly anomaly;    /* of face, where there is one */
} cmd_model;

/**
 * Writes the model file that `what` stands for: a file is itself; a folder is looked into as the
 * server does (highest version; edge.* or cloud.* as the mode says, edge.* without a mode).
 * NF_ENOTFOUND; NF_ETOOLARGE (path too long).
 */
nf_status cmd_model_find(char path[CMD_PATH_SIZE], const char *what, eng_mode mode, nf_error *err);

/** Finds, reads and compiles a model. Its model.json overrides the precision that a mode picks.
 * calibration: a file, or "" for what stands beside the model or one folder up. Returns what
 * eng_model_load, srv_rows_read and srv_manifest_read return, or NF_ENOTFOUND, NF_EIO,
 * NF_ETOOLARGE. On an error *out holds nothing. */
nf_status cmd_model_open(cmd_model *out, const char *what, const eng_options *options,
                         const char *calibration, nf_error *err);

/** The same for a command whose only word is MODEL: argv[0] is its name, n the words that
 * cmd_options left. Returns -1 to go on, or the exit status after an error that it has printed. */
int cmd_model_only(cmd_model *out, eng_options *options, const cmd_engine *engine, int n,
                   char **argv);

/** Frees what cmd_model_open gave; accepts a zeroed one. */
void cmd_model_fini(cmd_model *m);

#endif /* SRV_CMD_MODEL_H */

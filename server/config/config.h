/* config.h - the options of `nearfar serve`, from one table: flags, NEARFAR_… variables, and a JSON
 * file. Layer: server/config. Thread rule: main thread. */
#ifndef SRV_CONFIG_H
#define SRV_CONFIG_H

#include "engine/base/opts.h"
#include "server/config/live.h"

typedef struct srv_config {
    int mode; /* 0 edge, 1 cloud */
    const char *config, *models, *listen;
    int64_t http_threads, workers, max_connections; /* 0 = as the mode says */
    int64_t queue;
    int64_t max_body, max_model_bytes, max_request_memory, memory_budget;                /* bytes */
    int64_t request_timeout, upload_timeout, idle_timeout, queue_timeout, drain_timeout; /* us */
    int64_t inline_us;
    const char *admin_token_file;
    int precision, arith;
    const char *isa, *blas_core;
    int log_level;
    bool check_config, help;
    /* Not options: */
    const char *const *files; /* model files of the command line, borrowed from argv */
    size_t n_files;
    char **texts; /* owned: what text options from the file point to */
    size_t n_texts;
} srv_config;

/** The rows, for --help. */
nf_opt_table srv_config_table(void);

/**
 * Reads file < environment < flags. The file is --config, or NEARFAR_CONFIG; without either
 * ./nearfar.json when it is there.
 *
 * argv[0] is skipped and argv is reordered; get is getenv or a test's. NF_EINVAL names the option
 * and where it came from. *out is usable only after NF_OK; srv_config_fini in any case.
 */
nf_status srv_config_read(srv_config *out, int argc, char **argv, char *(*get)(const char *name),
                          nf_error *err);

/** Sets options from the JSON text of a file: {"max_body": "2MiB", "mode": "edge"}. Keys that are
 * no options are an error. */
nf_status srv_config_json(srv_config *c, const char *text, size_t len, const char *path,
                          nf_error *err);

void srv_config_fini(srv_config *c);

/** Copies the limits that may change while the server runs. */
void srv_config_live(srv_live *live, const srv_config *c);

/** "edge" or "cloud". */
const char *srv_config_mode(const srv_config *c);

#endif /* SRV_CONFIG_H */

/* config.c - THE table of serve's options, and their order of precedence. Layer: server/config.
 * Thread rule: main thread. */
#include "server/config/config.h"

#include "engine/base/bytes.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <stdio.h>

#define FILE_MOST    (1u << 20)
#define DEFAULT_FILE "nearfar.json"
#define AT(field)    offsetof(srv_config, field)

// clang-format off
static const nf_opt rows[] = {
    {"mode", NULL, "edge", "edge: INT8, one loop; cloud: FP32, a loop per core", NF_OPT_PICK, AT(mode), 0, 0, "edge|cloud"},
    {"models", "DIR", "", "folder of models: DIR/NAME/VERSION/model.tflite", NF_OPT_TEXT, AT(models), 0, 0, NULL},
    {"listen", "ADDR:PORT", "127.0.0.1:8080", "where to listen; port 0 takes a free one", NF_OPT_TEXT, AT(listen), 0, 0, NULL},
    {"config", "FILE", "", "JSON file with these options (default: nearfar.json when it is there)", NF_OPT_TEXT, AT(config), 0, 0, NULL},
    {"check-config", NULL, NULL, "read the configuration, say what is wrong with it, and end", NF_OPT_FLAG, AT(check_config), 0, 0, NULL},
    {"precision", NULL, "auto", "overrides what the mode picks", NF_OPT_PICK, AT(precision), 0, 0, "auto|fp32|int8|int4"},
    {"arith", NULL, "auto", "arithmetic of the integer operators", NF_OPT_PICK, AT(arith), 0, 0, "auto|litert|reference|onnx"},
    {"isa", "NAME", "", "use no CPU feature above: scalar, avx2, avxvnni, avx512, avx512vnni, avx512vbmi, neon", NF_OPT_TEXT, AT(isa), 0, 0, NULL},
    {"blas-core", "NAME", "", "OpenBLAS core to ask for (default: chosen from the CPU)", NF_OPT_TEXT, AT(blas_core), 0, 0, NULL},
    {"http-threads", "N", "0", "HTTP loops; 0: edge 1, cloud one per core", NF_OPT_NUM, AT(http_threads), 0, 256, NULL},
    {"workers", "N", "0", "compute threads; 0: edge 1, cloud one per core", NF_OPT_NUM, AT(workers), 0, 256, NULL},
    {"inline-us", "TIME", "200us", "models whose measured time is below run on the HTTP loop", NF_OPT_TIME, AT(inline_us), 0, 10000000, NULL},
    {"queue", "N", "128", "requests that may wait for a worker; more get 429", NF_OPT_NUM, AT(queue), 1, 1000000, NULL},
    {"queue-timeout", "TIME", "5s", "longest wait for a worker; then 504", NF_OPT_TIME, AT(queue_timeout), 1000, 3600000000, NULL},
    {"memory-budget", "BYTES", "0", "refuse models that need more; 0 = no budget", NF_OPT_BYTES, AT(memory_budget), 0, INT64_MAX, NULL},
    {"max-body", "BYTES", "16MiB", "largest body of a prediction", NF_OPT_BYTES, AT(max_body), 1, 1 << 30, NULL},
    {"max-request-memory", "BYTES", "64MiB", "largest tensors, and largest reply, of a request", NF_OPT_BYTES, AT(max_request_memory), 65536, 1ll << 40, NULL},
    {"max-model-bytes", "BYTES", "256MiB", "largest model file", NF_OPT_BYTES, AT(max_model_bytes), 1, 1ll << 40, NULL},
    {"max-connections", "N", "0", "connections at a time; 0: edge 1024, cloud 10000", NF_OPT_NUM, AT(max_connections), 0, 1000000, NULL},
    {"request-timeout", "TIME", "10s", "a request that has not arrived by then is cut off", NF_OPT_TIME, AT(request_timeout), 1000, 3600000000, NULL},
    {"upload-timeout", "TIME", "10min", "the same for an uploaded model", NF_OPT_TIME, AT(upload_timeout), 1000, 86400000000, NULL},
    {"idle-timeout", "TIME", "60s", "an idle connection is closed after that", NF_OPT_TIME, AT(idle_timeout), 1000, 86400000000, NULL},
    {"drain-timeout", "TIME", "10s", "SIGTERM: longest wait for requests under way", NF_OPT_TIME, AT(drain_timeout), 0, 3600000000, NULL},
    {"admin-token-file", "FILE", "", "admin asks for the Bearer token in FILE (without: only this machine)", NF_OPT_TEXT, AT(admin_token_file), 0, 0, NULL},
    {"log-level", NULL, "warn", "info has a line for each request", NF_OPT_PICK, AT(log_level), 0, 0, "error|warn|info|debug"},
    {"help", NULL, NULL, "this text", NF_OPT_FLAG, AT(help), 0, 0, NULL},
};
// clang-format on

nf_opt_table srv_config_table(void)
{
    return (nf_opt_table){rows, NF_COUNT(rows)};
}

const char *srv_config_mode(const srv_config *c)
{
    return c->mode == 0 ? "edge" : "cloud";
}

/* Which file, if any: *must: it was asked for, so it has to be there. */
static const char *file_name(bool *must, const srv_config *flags, char *(*get)(const char *name))
{
    const char *env = get("NEARFAR_CONFIG");
    *must = true;
    if (*flags->config) return flags->config;
    if (env && *env) return env;
    *must = false;
    return DEFAULT_FILE;
}

static nf_status read_file(srv_config *c, const char *path, bool must, nf_error *err)
{
    nf_bytes file;
    nf_error miss = {0};
    nf_status st = nf_read_file(&file, path, FILE_MOST, NF_MEM_MISC, &miss);
    if (st == NF_ENOTFOUND && !must) return NF_OK;
    if (st) return nf_note(err, st, path, "%s", miss.text), st;
    st = srv_config_json(c, (const char *)file.data, file.len, path, err);
    nf_free((void *)file.data);
    return st;
}

nf_status srv_config_read(srv_config *out, int argc, char **argv, char *(*get)(const char *name),
                          nf_error *err)
{
    const nf_opt_table t = srv_config_table();
    srv_config flags = {0}; /* a first look: which file? */
    nf_status st;
    bool must;
    int n_rest = 0;
    *out = (srv_config){0};
    char **copy = nf_alloc_array((size_t)argc + 1, sizeof(*copy), NF_MEM_MISC);
    if (!copy) return nf_fail(err, NF_ENOMEM, "options", "no memory");
    memcpy(copy, argv, (size_t)argc * sizeof(*copy));
    if ((st = nf_opts_defaults(&flags, t, err)) || (st = nf_opts_defaults(out, t, err)) ||
        (st = nf_opts_argv(&flags, t, argc, copy, &n_rest, err)))
        goto done;
    const char *path = file_name(&must, &flags, get);
    if (!flags.help && (st = read_file(out, path, must, err))) goto done;
    if ((st = nf_opts_env(out, t, "NEARFAR", get, err)) ||
        (st = nf_opts_argv(out, t, argc, argv, &n_rest, err)))
        goto done;
    out->files = (const char *const *)argv + 1;
    out->n_files = (size_t)n_rest;
done:
    nf_free(copy);
    return st;
}

void srv_config_fini(srv_config *c)
{
    for (size_t i = 0; i < c->n_texts; i++)
        nf_free(c->texts[i]);
    nf_free(c->texts);
    c->texts = NULL;
    c->n_texts = 0;
}

void srv_config_live(srv_live *live, const srv_config *c)
{
    atomic_store(&live->max_body, c->max_body);
    atomic_store(&live->max_model_bytes, c->max_model_bytes);
    atomic_store(&live->max_request_memory, c->max_request_memory);
    atomic_store(&live->request_timeout, c->request_timeout);
    atomic_store(&live->upload_timeout, c->upload_timeout);
    atomic_store(&live->idle_timeout, c->idle_timeout);
    atomic_store(&live->queue_timeout, c->queue_timeout);
    atomic_store(&live->inline_us, c->inline_us);
    atomic_store(&live->memory_budget, c->memory_budget);
}

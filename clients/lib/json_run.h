/* json_run.h - saved runs, read back. Layer: clients. Thread rule: no shared state. */
#ifndef CL_JSON_RUN_H
#define CL_JSON_RUN_H

#include "engine/base/err.h"

#include <jansson.h>
#include <stdbool.h>

/** Reads a run that -o or --json wrote; json_decref it. NF_EINVAL: not JSON, or not of schema
 * nearfar-client/1; NF_ENOTFOUND, NF_ETOOLARGE (over 64 MiB), NF_EIO, NF_ENOMEM. */
nf_status cl_run_read(json_t **out, const char *path, nf_error *err);

/** The value at "targets/0/latency/raw/p99.9" below `j` (numbers are places in a list), or NULL. */
json_t *cl_json_at(json_t *j, const char *path);

/** The number there, or NAN. */
double cl_json_number(json_t *j, const char *path);

/** The text there, or "". */
const char *cl_json_text(json_t *j, const char *path);

/** Writes `j` to `path`, whole or not at all. NF_ENOMEM (also when j is NULL), NF_EIO,
 * NF_EREADONLY. */
nf_status cl_run_write(json_t *j, const char *path, nf_error *err);

#endif /* CL_JSON_RUN_H */

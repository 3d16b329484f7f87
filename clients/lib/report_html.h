/* report_html.h - saved runs as one self-contained HTML page. Layer: clients. Thread rule: no
 * shared state. */
#ifndef CL_REPORT_HTML_H
#define CL_REPORT_HTML_H

#include "engine/base/err.h"

#include <jansson.h>
#include <stddef.h>

/** Writes the page of `n` runs (compare and sweep; others are listed with their figures) to `path`,
 * whole or not at all: no script, no external resource, light and dark. NF_EINVAL: a run that has
 * nothing to show; NF_ENOMEM (also when a run is NULL), NF_EIO, NF_EREADONLY. */
nf_status cl_html_runs(json_t *const *runs, size_t n, const char *path, nf_error *err);

#endif /* CL_REPORT_HTML_H */

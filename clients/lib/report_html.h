/* report_html.h - the comparison as one self-contained HTML page. Layer: clients. Thread rule: no
 * shared state. */
#ifndef CL_REPORT_HTML_H
#define CL_REPORT_HTML_H

#include "clients/lib/comparison.h"

/** Writes the page to `path`, whole or not at all: no script, no external resource, light and
 * dark. NF_ENOMEM, NF_EIO, NF_EREADONLY. */
nf_status cl_html_comparison(const cl_comparison *c, const char *path, nf_error *err);

#endif /* CL_REPORT_HTML_H */

/* validate_summary.h - counts over many folders of cases: by format, and why some cannot run.
 * Layer: server/cmd. Thread rule: main thread. */
#ifndef SRV_VALIDATE_SUMMARY_H
#define SRV_VALIDATE_SUMMARY_H

#include "server/case/case_check.h"

#include <jansson.h>

#define VALIDATE_FORMATS 16
#define VALIDATE_REASONS 512

typedef struct validate_row {
    char name[32];   /* of the format */
    size_t count[3]; /* by verdict */
} validate_row;

typedef struct validate_reason {
    char text[160]; /* "operator Tanh", else the message; sizes are '#' */
    size_t count;   /* folders */
} validate_reason;

typedef struct validate_summary {
    size_t count[3];
    validate_row formats[VALIDATE_FORMATS]; /* the last one takes all that have no room */
    size_t n_formats;
    validate_reason reasons[VALIDATE_REASONS]; /* why folders are unsupported; the first ones */
    size_t n_reasons;
} validate_summary;

void validate_summary_add(validate_summary *s, const srv_check *c);

/** A table by format, and with `reasons` the reasons, the most frequent one first (sorts them). */
void validate_summary_print(validate_summary *s, bool reasons);

/** {"passed", "failed", "unsupported", "formats": {…}, "reasons": [{"text", "count"}]}. */
json_t *validate_summary_json(validate_summary *s);

#endif /* SRV_VALIDATE_SUMMARY_H */

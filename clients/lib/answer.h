/* answer.h - what a prediction says, out of the reply's JSON. Layer: clients. Thread rule: no
 * shared state. */
#ifndef CL_ANSWER_H
#define CL_ANSWER_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct cl_answer {
    double *value; /* every number of the predictions, in order; owned */
    size_t n_values;
    size_t rows;       /* instances answered */
    bool labelled;     /* the reply has classes */
    char label[64];    /* of the first instance; "" when not labelled */
    double confidence; /* 0..1 of the first instance */
} cl_answer;

/** Reads {"predictions":…} or {"outputs":…} with optional "classes". NF_EINVAL, NF_ENOMEM. */
nf_status cl_answer_parse(cl_answer *out, nf_bytes body, nf_error *err);

void cl_answer_fini(cl_answer *a);

/** The text under "error" of an error reply into `to` (cut to `room`), else the first of the body.
 */
void cl_answer_error(char *to, size_t room, nf_bytes body);

typedef struct cl_agreement {
    uint64_t rows;       /* instances that both answered with the same number of values */
    uint64_t same;       /* of these: same class */
    uint64_t unequal;    /* replies whose sizes differ: not compared */
    double max_abs_diff; /* over all values; NaN against a number counts as infinite */
} cl_agreement;

/** Adds one pair of answers to the same input. The class of a row is its largest value. */
void cl_agreement_add(cl_agreement *g, const cl_answer *a, const cl_answer *b);

#endif /* CL_ANSWER_H */

/* input_set.h - the request bodies of a run: from the command line, a file, or made to fit the
 * model. Layer: clients. Thread rule: const after it is made. */
#ifndef CL_INPUT_SET_H
#define CL_INPUT_SET_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>

typedef struct cl_inputs {
    nf_bytes *body; /* n JSON documents, owned */
    size_t n;
    char **label;    /* the truth of each, owned; NULL: not labelled */
    char source[96]; /* for the report: "--input", the file's name, "made from metadata, seed 1" */
} cl_inputs;

/**
 * Bodies from `text`: JSON (begins with '[', '{', a digit or '-'), else the name of a file. A file
 * holds one JSON document, or one a line, which are then sent in turn. An object with "instances"
 * or "inputs" is sent as it is, anything else becomes {"instances":[…]}.
 * NF_EINVAL: not JSON; NF_ENOTFOUND, NF_ETOOLARGE (over 64 MiB), NF_ENOMEM.
 */
nf_status cl_inputs_read(cl_inputs *out, const char *text, nf_error *err);

/* What a server of ours says of a model. */
typedef struct cl_facts {
    bool known;
    double macs, weight_bytes;
    char precision[16];
} cl_facts;

/** Out of the metadata's "nearfar" part. */
void cl_facts_read(cl_facts *to, nf_bytes metadata);

/** The unit of the inputs out of our own metadata ({"nearfar":{"units":"degC"}}) into `to`; "" when
 * it is not said or does not fit. */
void cl_unit_read(char *to, size_t room, nf_bytes facts);

/**
 * `n` bodies that fit the model whose Open Inference metadata is `metadata` (JSON): one instance
 * each, every input filled with uniform values. The range is the input's own ("parameters" with
 * "min" and "max"), else that of `unit` (degC: -5 .. 40), else 0 .. 1. Same seed, same bodies.
 * NF_EINVAL: metadata without usable inputs; NF_ETOOLARGE: over 4 M elements; NF_ENOMEM.
 */
nf_status cl_inputs_make(cl_inputs *out, nf_bytes metadata, const char *unit, size_t n,
                         uint64_t seed, nf_error *err);

/**
 * One body for each row of a labelled set: numbers, then the label, separated by commas; a first
 * line that does not begin with a number is a heading. NF_EINVAL: a row without numbers or label;
 * NF_ENOTFOUND, NF_ETOOLARGE, NF_ENOMEM.
 */
nf_status cl_inputs_labelled(cl_inputs *out, const char *path, nf_error *err);

/** Lengthens every body that is shorter than `bytes` with spaces, which JSON allows: more to send,
 * the same to compute. NF_ENOMEM. */
nf_status cl_inputs_pad(cl_inputs *in, size_t bytes, nf_error *err);

void cl_inputs_fini(cl_inputs *in);

#endif /* CL_INPUT_SET_H */

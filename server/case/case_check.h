/* case_check.h - checks a model on one folder of recorded cases. Layer: server/case. Thread rule:
 * one owner. */
#ifndef SRV_CASE_CHECK_H
#define SRV_CASE_CHECK_H

#include "engine/model.h"
#include "server/case/case_compare.h"
#include "server/case/case_score.h"

typedef struct srv_check_options {
    eng_options engine;     /* arith AUTO: as the case names it */
    const char *model;      /* another model file for the same cases; NULL = the case's own */
    bool layers;            /* compare every step with layers.json too */
    const char *layers_dir; /* the folder of layers.json; NULL = the case's */
} srv_check_options;

typedef enum srv_verdict { SRV_PASS, SRV_FAIL, SRV_UNSUPPORTED } srv_verdict;

/* One output over all cases of the folder. */
typedef struct srv_check_output {
    char name[96];
    srv_diff diff;      /* against the golden, or the alternative that was matched */
    bool real_units;    /* compared as float32: dtype or quantization are not the case's */
    size_t alternative; /* cases that match an alternative set, not the golden */
    size_t failed;      /* cases that are outside */
    size_t item;        /* the first of them */
    char shape[2][96];  /* expected and got, where they differ; else "" */
} srv_check_output;

/* Steps against layers.json; the verdict does not depend on them. */
typedef struct srv_check_layers {
    size_t recorded;        /* tensors in layers.json */
    size_t compared, equal; /* steps found by name; of them equal in every element */
    char worst[96];         /* name of the step that is furthest off, "" = none is */
    srv_diff diff;          /* of that step */
    char first[96];         /* the first step over the tolerance: integers differ at all, floats by
                               more than 1e-5 + 1e-4 * |want|; "" = none is */
    char first_op[32];      /* its operator */
    size_t first_step;      /* its number, as inspect shows it */
    srv_diff first_diff;
} srv_check_layers;

typedef struct srv_check {
    srv_verdict verdict;
    char id[256];
    char format[32]; /* "onnx", "operator test" … */
    nf_error why;    /* where the verdict is no pass and it is not the numbers; else status NF_OK */
    eng_precision precision;
    eng_arith arith;
    size_t items, failed; /* cases */
    size_t n_outputs;
    srv_check_output out[SRV_CASE_MAX_IO];
    size_t scored; /* rows that have a label; 0 = score and agree mean nothing */
    srv_score score;
    size_t agree; /* of them: the answer is the golden's */
    srv_check_layers layers;
} srv_check;

/** Checks one folder. Everything that goes wrong is in *out; never fails otherwise. */
void srv_check_folder(srv_check *out, const char *dir, const srv_check_options *options);

/**
 * Calls visit for every folder with cases at or below `path`, in the order of names, to a depth of
 * 8; links to folders are not followed below `path` itself. Returns NF_OK; NF_ENOTFOUND (no such
 * path, or no case in it); NF_EIO; NF_ENOMEM; NF_ETOOLARGE.
 */
nf_status srv_case_walk(const char *path, void (*visit)(const char *dir, void *user), void *user,
                        nf_error *err);

#endif /* SRV_CASE_CHECK_H */

/* model.h - load a model file into something that can run. Layer: engine (public).
 * Thread rule: a loaded model is read-only and shared; the reference count is atomic. */
#ifndef ENG_MODEL_H
#define ENG_MODEL_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/options.h"
#include "engine/tensor.h"

typedef struct eng_model eng_model;

#define ENG_CALIBRATION_MOST 512 /* rows that are run */

typedef enum eng_shapes {
    ENG_SHAPES_FIXED, /* a run takes one row of fixed shapes */
    ENG_SHAPES_ROWS,  /* any number of rows, each on its own */
    ENG_SHAPES_OPEN   /* a request brings its shapes: eng_session_run_open */
} eng_shapes;

/* What the outputs mean, where the file says so. */
typedef enum eng_task {
    ENG_TASK_NONE,
    ENG_TASK_CLASSIFICATION,
    ENG_TASK_REGRESSION,
    ENG_TASK_ANOMALY /* a score that a threshold cuts */
} eng_task;

/* What the file says of one input or output beside its type. Texts are NULL and lists are empty
 * where it says nothing. */
typedef struct eng_io_note {
    const char *alias; /* its name in the signature; the io answers to it too */
    const char *title, *description, *unit;
    const float *mean, *deviation; /* the model was trained on (x - mean) / deviation */
    size_t n_mean, n_deviation;    /* 0, 1, or one for each channel */
} eng_io_note;

typedef struct eng_info {
    const char *format;      /* "tflite", "onnx" */
    eng_precision precision; /* what runs */
    eng_arith arith;         /* arithmetic of the integer ops; ENG_ARITH_AUTO when there are none */
    eng_shapes shapes;
    const eng_io *inputs, *outputs;
    size_t n_inputs, n_outputs;
    size_t n_ops;            /* steps after fusion */
    uint64_t macs;           /* multiply-accumulates of one row */
    size_t weight_bytes;     /* packed, as they are in memory */
    size_t arena_bytes;      /* activations of one row, and what the kernels work in */
    size_t arena_bound;      /* no plan can need less */
    size_t values_bytes;     /* what the activations alone would need: kernels without scratch */
    size_t values_bound;     /* no plan can need less */
    size_t calibration_rows; /* that gave the ranges of the activations; 0 = none were used */
    /* what the file says about itself */
    eng_task task;
    size_t n_labels;
    const char *const *labels;    /* [n_labels]: the classes, in the order of their scores */
    const char *title, *about;    /* name and description; "" = none */
    const char *signature;        /* key of the signature that the aliases are from; "" = none */
    const eng_io_note *in_notes;  /* [n_inputs] */
    const eng_io_note *out_notes; /* [n_outputs] */
} eng_info;

/** "none", "classification", "regression" or "anomaly". */
const char *eng_task_name(eng_task t);

/* One step of the compiled program, for `inspect`. */
typedef struct eng_step_info {
    const char *op;     /* "CONV_2D" */
    const char *kernel; /* "krn_qs8_gemm_avx2" */
    const char *output; /* name of its first output */
    eng_dtype dtype;
    bool quantized;
    float scale;
    int32_t zero_point;
    int rank;
    int64_t dim[ENG_MAX_RANK];
    uint64_t macs;
    size_t weight_bytes, arena_offset, out_bytes;
} eng_step_info;

/**
 * Parses, verifies and compiles a model.
 *
 * file: the whole file; borrowed for the call only, nothing points into it afterwards.
 * options->calibration: used where INT8 is asked for and the file's activations are FP32: at most
 * ENG_CALIBRATION_MOST of its rows, evenly picked, run in FP32; the least and largest number of
 * each activation become its INT8 range. NF_EINVAL (names it) when its rows do not fit the inputs.
 * Returns NF_OK; NF_EFORMAT (malformed, says where); NF_EUNSUPPORTED (lists every op that is
 * missing with its count; or a precision without kernels); NF_EBUDGET (arena over
 * options->max_arena, minutes of work a row, or copies of shared constants without end); NF_ENOMEM.
 * Owns: *out holds one reference; give it back with eng_model_unref.
 */
nf_status eng_model_load(eng_model **out, nf_bytes file, const eng_options *options, nf_error *err);

/** Takes another reference and returns m. */
eng_model *eng_model_ref(eng_model *m);

/** Drops a reference, sets *m to NULL. Accepts NULL and a pointer to NULL. */
void eng_model_unref(eng_model **m);

/** Borrowed, lives as long as the model. */
const eng_info *eng_model_info(const eng_model *m);

/** Step i of info->n_ops, in the order of execution. */
void eng_model_step(eng_step_info *out, const eng_model *m, size_t i);

#endif /* ENG_MODEL_H */

/* options.h - how a model is to be run; mode is data. Layer: engine (public). */
#ifndef ENG_OPTIONS_H
#define ENG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum eng_mode {
    ENG_MODE_FILE, /* the file's own precision */
    ENG_MODE_EDGE, /* INT8: an FP32 model gets INT8 weights when it is loaded */
    ENG_MODE_CLOUD /* FP32: a quantized model is dequantized when it is loaded */
} eng_mode;

typedef enum eng_precision {
    ENG_PREC_AUTO, /* what the mode picks */
    ENG_PREC_FP32,
    ENG_PREC_INT8,
    ENG_PREC_INT4,
    ENG_PREC_HYBRID, /* only as an answer: float activations, integer weights */
    ENG_PREC_MIXED   /* only as an answer */
} eng_precision;

/* How an integer accumulator becomes an output value (DESIGN: Arithmetic of INT8). */
typedef enum eng_arith {
    ENG_ARITH_AUTO,      /* litert for TensorFlow Lite files, onnx for ONNX files */
    ENG_ARITH_LITERT,    /* float scale, nearest even */
    ENG_ARITH_REFERENCE, /* integer multiplier, two roundings: TensorFlow's reference kernels */
    ENG_ARITH_ONNX       /* as the operator specification says */
} eng_arith;

/* Rows like those that a model will see, from which an FP32 model learns the ranges of its
 * activations when it is loaded in INT8. Borrowed for the call. */
typedef struct eng_calibration {
    const float *rows; /* [n_rows][row_elems]: of all inputs behind each other, in their order */
    size_t n_rows, row_elems;
    const char *name; /* of where they are from, for errors */
} eng_calibration;

typedef struct eng_options {
    eng_mode mode;
    eng_precision precision;
    eng_arith arith;
    unsigned isa;          /* KRN_CPU_… bits that may be used, 0 = every one the CPU has */
    const char *blas_core; /* OpenBLAS core type to ask for; NULL = chosen from the CPU */
    bool no_blas;          /* no float product by OpenBLAS */
    bool fixed_ways;       /* float kernels by rule, not by timing: the same sums at every load */
    const char *folder;    /* ONNX external data is read from files beneath it; NULL = refused */
    size_t max_arena;      /* bytes; 0 = 1 GiB */
    const eng_calibration *calibration; /* NULL = activations are quantized run by run */
} eng_options;

/** "fp32", "int8", "int4", "hybrid", "mixed" or "auto". */
const char *eng_precision_name(eng_precision p);

/** Do integers run: INT8 or INT4 asked for, or what the mode picks? */
bool eng_wants_int8(const eng_options *o);

/** "litert", "reference", "onnx" or "auto". */
const char *eng_arith_name(eng_arith a);

#endif /* ENG_OPTIONS_H */

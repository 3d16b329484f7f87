/* tensor.h - what goes into a model and comes out. Layer: engine (public). */
#ifndef ENG_TENSOR_H
#define ENG_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENG_MAX_RANK 8

/* name, bytes an element, Open Inference Protocol name, TensorFlow name */
#define ENG_DTYPE_MAP(X)                                                                           \
    X(F32, 4, "FP32", "DT_FLOAT")                                                                  \
    X(I8, 1, "INT8", "DT_INT8")                                                                    \
    X(U8, 1, "UINT8", "DT_UINT8")                                                                  \
    X(I16, 2, "INT16", "DT_INT16")                                                                 \
    X(I32, 4, "INT32", "DT_INT32")                                                                 \
    X(I64, 8, "INT64", "DT_INT64")                                                                 \
    X(BOOL, 1, "BOOL", "DT_BOOL")                                                                  \
    X(F64, 8, "FP64", "DT_DOUBLE")                                                                 \
    X(F16, 2, "FP16", "DT_HALF")                                                                   \
    X(BF16, 2, "BF16", "DT_BFLOAT16")                                                              \
    X(U16, 2, "UINT16", "DT_UINT16")                                                               \
    X(U32, 4, "UINT32", "DT_UINT32")                                                               \
    X(U64, 8, "UINT64", "DT_UINT64")                                                               \
    X(STR, 16, "BYTES", "DT_STRING") /* an nf_span: {pointer, bytes}, not owned by the tensor */

typedef enum eng_dtype {
#define X(name, size, oip, tf) ENG_##name,
    ENG_DTYPE_MAP(X)
#undef X
        ENG_DTYPE_COUNT
} eng_dtype;

/** Bytes of one element. */
size_t eng_dtype_size(eng_dtype t);

/** "FP32": the Open Inference Protocol's name. */
const char *eng_dtype_oip(eng_dtype t);

/** "DT_FLOAT": TensorFlow's name. */
const char *eng_dtype_tf(eng_dtype t);

/* One input or output of a model. */
typedef struct eng_io {
    const char *name; /* owned by the model */
    eng_dtype dtype;  /* as in the running model; float32 is accepted and given too */
    bool quantized;   /* real = (q - zero_point) * scale */
    float scale;
    int32_t zero_point;
    bool batched;              /* dim[0] counts rows: shown as -1 */
    bool open;                 /* a dimension beside the rows is known only with a request */
    int rank;                  /* -1: not even the number of dimensions is known */
    int64_t dim[ENG_MAX_RANK]; /* dim[0] is 1 where batched; -1: open until a request */
    size_t row_elems;          /* elements of one row; 0 where a dimension is open */
} eng_io;

/* Caller's memory for one input or output of `rows` rows, C order. dtype is either the io's own or
 * ENG_F32 in real units: the session converts. */
typedef struct eng_view {
    eng_dtype dtype;
    void *data;
    size_t bytes; /* exactly rows * row_elems * size of dtype */
    int rank;     /* used with dim where the model's shapes are open, see eng_session_run_open */
    int64_t dim[ENG_MAX_RANK];
} eng_view;

#endif /* ENG_TENSOR_H */

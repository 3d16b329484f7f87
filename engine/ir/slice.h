/* slice.h - which part of a tensor SLICE, STRIDED_SLICE and PAD mean. Layer: ir.
 * Thread rule: pure functions. Rules of shapes and kernels both ask here. */
#ifndef IR_SLICE_H
#define IR_SLICE_H

#include "engine/ir/graph.h"

/* An element of a parameter that is not known yet; a symbol of the batch is not known either. */
#define IR_UNKNOWN IR_SYMBOL

/* start, start + step, … : count of them; count < 0 and start == IR_UNKNOWN: not known. */
typedef struct ir_range {
    int64_t start, step, count;
} ir_range;

typedef struct ir_slice {
    int rank; /* of the input */
    ir_range at[ENG_MAX_RANK];
    int out_rank;
    int from[ENG_MAX_RANK]; /* the input's axis, or -1: a new one of size 1 */
} ir_slice;

typedef struct ir_slice_args {
    int rank;
    int64_t dim[ENG_MAX_RANK];
    size_t n; /* of the lists that follow */
    int64_t start[ENG_MAX_RANK], end[ENG_MAX_RANK], axis[ENG_MAX_RANK], step[ENG_MAX_RANK];
    const char *where; /* for messages */
} ir_slice_args;

/** SLICE; sizes: end holds counts, -1 = to the end. NF_EFORMAT. */
nf_status ir_slice_plain(ir_slice *out, const ir_slice_args *a, bool sizes, nf_error *err);

/** STRIDED_SLICE of a node; axis is not looked at. NF_EFORMAT. */
nf_status ir_slice_strided(ir_slice *out, const ir_slice_args *a, const ir_attr *attr,
                           nf_error *err);

typedef struct ir_pads {
    int64_t before[ENG_MAX_RANK], after[ENG_MAX_RANK]; /* IR_UNKNOWN; below 0: cut off */
} ir_pads;

/** The n numbers of the pads input by axis: pairs of the axes 0, 1, …, or first all `before` and
 * then all `after` of the axes listed. NF_EFORMAT. */
nf_status ir_pads_of(ir_pads *out, const ir_slice_args *a, const int64_t *pads, size_t n,
                     bool pairs, nf_error *err);

/** n elements of an INT32 or INT64 tensor. */
void ir_read_ints(int64_t *out, const void *data, eng_dtype dtype, size_t n);

/** n elements of a constant from `first` on; symbols of both types are IR_SYMBOL. */
void ir_const_ints(int64_t *out, const ir_tensor *t, size_t first, size_t n);

#endif /* IR_SLICE_H */

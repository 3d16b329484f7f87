/* tensor_in.h - nested JSON arrays of numbers or strings into one flat typed buffer. Layer:
 * server/codec. Thread rule: one owner at a time. */
#ifndef SRV_TENSOR_IN_H
#define SRV_TENSOR_IN_H

#include "engine/tensor.h"
#include "server/codec/json_in.h"

#define SRV_NEST_MOST 16 /* levels of arrays around a number */

typedef struct srv_tensor {
    eng_dtype dtype;   /* what `data` holds; set by the caller */
    char *data;        /* in the request's arena, 64-byte aligned */
    size_t count, cap; /* elements */
    bool may_be_empty; /* arrays without a member are a shape with a 0; set by the caller */
    /* of the value read last: */
    int rank; /* levels of arrays; 0 = a bare number */
    size_t dim[SRV_NEST_MOST];
} srv_tensor;

/**
 * Reads one number or one nest of arrays and appends its elements.
 *
 * name: of the input, for error texts. NF_EINVAL: ragged, empty, not a number, out of the dtype's
 * range (NaN and infinities cannot be written in JSON); NF_ENOTIMPL: {"b64": …}; NF_ETOOLARGE: the
 * request's memory limit.
 */
nf_status srv_tensor_read(srv_tensor *t, srv_json *j, const char *name);

/** Elements of the value read last. */
size_t srv_tensor_last(const srv_tensor *t);

/** What JSON numbers become for this input: float32 in real units where the model's tensor is
 * quantized or float, else the tensor's own type. */
eng_dtype srv_wire_dtype(const eng_io *io);

/** A view that says the whole shape of what came for `io`, and how many rows it is.
 *
 * got: of the value, `count` elements. Where the io is open beside its batch, the value has as many
 * dimensions as the io, or one less (the batch, which is then 1), or one more of length 1, and its
 * known dimensions agree; else srv_rows_of's rules hold. view->dtype, data and bytes are the
 * caller's. NF_EINVAL names both shapes.
 */
nf_status srv_fit(eng_view *view, size_t *rows, const eng_io *io, const size_t *dim, int rank,
                  size_t count, nf_error *err);

/**
 * How many rows of `io` a value of that shape is: `count` elements, of shape dim[0..rank-1].
 *
 * An instance may be nested as the model has it (dimensions of 1 may be left out or added), or
 * flat. One flat list of row_elems > 1 numbers is one row. NF_EINVAL names both shapes.
 */
nf_status srv_rows_of(size_t *rows, const eng_io *io, const size_t *dim, int rank, size_t count,
                      nf_error *err);

/** Whether dim[0..rank-1] is the shape of exactly one row. */
bool srv_is_one_row(const eng_io *io, const size_t *dim, int rank);

/** Writes "[-1, 3, 1]" for error texts. */
void srv_shape_text(char *out, size_t size, const eng_io *io);

#endif /* SRV_TENSOR_IN_H */

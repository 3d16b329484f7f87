/* float_rows.h - rows of float numbers from a file, NPY or CSV. Layer: server/table. Thread rule:
 * one owner. */
#ifndef SRV_FLOAT_ROWS_H
#define SRV_FLOAT_ROWS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define SRV_ROWS_FILE_MOST ((size_t)256 << 20) /* bytes of a file */

typedef struct srv_rows {
    float *v; /* owned: [n][width] */
    size_t n, width;
} srv_rows;

void srv_rows_fini(srv_rows *r);

/**
 * The rows of an array file: axis 0 counts them, all others together are a row.
 *
 * Versions 1 to 3 of the format; numbers of f2 f4 f8 i1 u1 i2 u2 i4 u4 i8 u8 b1, little endian, in
 * C order. `name` is for errors. NF_EINVAL (malformed, a type or order that is none of these, not
 * one finite number in a place), NF_ETOOLARGE, NF_ENOMEM; then *out is empty.
 * Source: NumPy enhancement proposal 1 (NPY format), and its documentation of versions 2 and 3.
 */
nf_status srv_rows_from_npy(srv_rows *out, nf_bytes file, const char *name, nf_error *err);

/** The rows of a table: one a record, one number a cell; a first record that is not all numbers
 * names the columns, and the one called "label" is left out. NF_EINVAL (file:line), NF_ETOOLARGE,
 * NF_ENOMEM. */
nf_status srv_rows_from_csv(srv_rows *out, nf_bytes file, const char *name, nf_error *err);

/** Reads a file of either kind, told by its content. At least one row. NF_ENOTFOUND, NF_EIO and as
 * above. */
nf_status srv_rows_read(srv_rows *out, const char *path, nf_error *err);

/** Writes the path of calibration.npy, or else calibration.csv, of the first of `n` folders that
 * has one; false when none has, or the path has no room. */
bool srv_rows_find(char *path, size_t size, const char *const *folders, size_t n);

#endif /* SRV_FLOAT_ROWS_H */

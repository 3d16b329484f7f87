/* file.h - whole files into memory of our own. Layer: base. Thread rule: any thread.
 * A file is read, never mapped: another process may truncate it while we look at it. */
#ifndef NF_FILE_H
#define NF_FILE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/mem.h"

/** Reads a regular file of at most `most` bytes. The caller frees out->data with nf_free; a NUL
 * that is not counted stands behind the bytes. NF_ENOTFOUND, NF_EIO, NF_ETOOLARGE, NF_ENOMEM. */
nf_status nf_read_file(nf_bytes *out, const char *path, size_t most, nf_mem_tag tag, nf_error *err);

/** Writes a file so that `path` is either the old content or all of the new one: temporary file
 * beside it, fsync, rename. NF_EIO, NF_EREADONLY. */
nf_status nf_write_file(const char *path, nf_bytes content, nf_error *err);

#endif /* NF_FILE_H */

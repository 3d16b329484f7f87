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

#define NF_PATH_ROOM 4096

/** The folder that a path lies in ("." for a bare name); a path that is too long gives "". */
void nf_folder_of(char out[NF_PATH_ROOM], const char *path);

/** As nf_read_file, for a path that a model gives: relative to `folder` and never out of it,
 * neither by ".." nor by a link. NF_EFORMAT when it leads elsewhere. */
nf_status nf_read_beneath(nf_bytes *out, const char *folder, const char *name, size_t most,
                          nf_mem_tag tag, nf_error *err);

/** Writes a file so that `path` is either the old content or all of the new one: temporary file
 * beside it, fsync, rename. NF_EIO, NF_EREADONLY. */
nf_status nf_write_file(const char *path, nf_bytes content, nf_error *err);

#endif /* NF_FILE_H */

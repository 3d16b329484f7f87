/* gzip.h - gzip (RFC 1952) of a whole body, both ways. Layer: clients/net. Thread rule: no shared
 * state. */
#ifndef CL_GZIP_H
#define CL_GZIP_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

/** Packs `in`. *out is owned by the caller (nf_free). NF_ETOOLARGE (over 1 GiB), NF_ENOMEM. */
nf_status cl_gzip(char **out, size_t *out_len, nf_bytes in, nf_error *err);

/** Unpacks one gzip member into at most `most` bytes. *out has a NUL behind *out_len bytes and is
 * owned by the caller (nf_free). NF_EINVAL: not gzip, or cut; NF_ETOOLARGE: over `most`;
 * NF_ENOMEM. */
nf_status cl_gunzip(char **out, size_t *out_len, nf_bytes in, size_t most, nf_error *err);

#endif /* CL_GZIP_H */

/* err.h - the one status and error type. Layer: base. Includes nothing of ours. */
#ifndef NF_ERR_H
#define NF_ERR_H

/* The HTTP status that belongs to each stands in server/api/status.c, one row a status. */
#define NF_STATUS_MAP(X)                                                                           \
    X(OK, 0, "ok")                                                                                 \
    X(EINVAL, -1, "invalid argument")                                                              \
    X(EAUTH, -2, "authentication required")                                                        \
    X(EDENIED, -3, "not allowed")                                                                  \
    X(ENOTFOUND, -4, "not found")                                                                  \
    X(EMETHOD, -5, "method not allowed")                                                           \
    X(ETIMEOUT, -6, "deadline passed")                                                             \
    X(ECONFLICT, -7, "conflict")                                                                   \
    X(ETOOLARGE, -8, "over a limit")                                                               \
    X(EENCODING, -9, "content encoding not supported")                                             \
    X(EFORMAT, -10, "malformed model file")                                                        \
    X(EUNSUPPORTED, -11, "operator or format not supported")                                       \
    X(EBUSY, -12, "queue full")                                                                    \
    X(EIO, -13, "input/output error")                                                              \
    X(ENOTIMPL, -14, "not implemented")                                                            \
    X(ELOADING, -15, "not ready")                                                                  \
    X(ENOMEM, -16, "out of memory")                                                                \
    X(EBUDGET, -17, "over the memory budget")                                                      \
    X(EREADONLY, -18, "repository is read-only")

typedef enum nf_status {
#define X(name, code, text) NF_##name = (code),
    NF_STATUS_MAP(X)
#undef X
} nf_status;

/* What went wrong, for people. Caller-owned, may be NULL everywhere. The first writer wins. */
typedef struct nf_error {
    nf_status status;
    char where[96]; /* file, field, option or request that was being read */
    char text[512];
} nf_error;

/** One lower-case phrase for `status`, never NULL. */
const char *nf_status_text(nf_status status);

/** The wire name of `status`, "EINVAL" for NF_EINVAL, never NULL. */
const char *nf_status_name(nf_status status);

/** Records what went wrong, once: a later note does not overwrite an earlier one. */
void nf_note(nf_error *err, nf_status status, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* `return nf_fail(err, NF_EIO, path, "short read");` The value is the constant itself, so that the
 * static analyzer knows that it is not NF_OK. */
#define nf_fail(err, status, ...) (nf_note((err), (status), __VA_ARGS__), (status))

#endif /* NF_ERR_H */

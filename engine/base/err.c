/* err.c - status names and the error object. Layer: base. Thread rule: no shared state. */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *nf_status_text(nf_status status)
{
    switch (status) {
#define X(name, code, text)                                                                        \
    case NF_##name:                                                                                \
        return text;
        NF_STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}

const char *nf_status_name(nf_status status)
{
    switch (status) {
#define X(name, code, text)                                                                        \
    case NF_##name:                                                                                \
        return #name;
        NF_STATUS_MAP(X)
#undef X
    }
    return "EIO";
}

void nf_note(nf_error *err, nf_status status, const char *where, const char *fmt, ...)
{
    if (!err || err->status != NF_OK) return;
    va_list ap;
    va_start(ap, fmt);
    err->status = status;
    snprintf(err->where, sizeof(err->where), "%s", where);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
}

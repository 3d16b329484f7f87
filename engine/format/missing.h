/* missing.h - collects the operators that a file needs and we lack. Layer: format. */
#ifndef FMT_MISSING_H
#define FMT_MISSING_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define FMT_MISSING_KINDS 32
#define FMT_MISSING_NAME  48

typedef struct fmt_missing {
    struct {
        char name[FMT_MISSING_NAME];
        size_t count;
    } ops[FMT_MISSING_KINDS];
    size_t kinds;
    size_t others; /* ops beyond the kinds that fit */
} fmt_missing;

/** Notes one operator. The name is cut to fit; what is not printable ASCII becomes '?'. */
void fmt_missing_add(fmt_missing *m, nf_span name);

/** NF_OK when nothing is missing; else NF_EUNSUPPORTED with "CONV_3D x2, FOO x1". */
nf_status fmt_missing_check(const fmt_missing *m, const char *where, nf_error *err);

/** A name from a file as short printable ASCII, for messages. Returns buf. */
const char *fmt_printable(char *buf, size_t size, nf_span name);

#endif /* FMT_MISSING_H */

/* text_out.h - text that grows up to a limit. Layer: clients. Thread rule: one owner. */
#ifndef CL_TEXT_OUT_H
#define CL_TEXT_OUT_H

#include "engine/base/bytes.h"

/* A failed append is remembered, so that writers need not look after each; the one who uses the
 * text looks at `failed` once. Zero-initialised but for `most`. */
typedef struct cl_text {
    char *s; /* NUL behind len bytes once something was added; NULL before */
    size_t len, cap, most;
    bool failed;
} cl_text;

void cl_text_add(cl_text *t, const char *s, size_t len);
void cl_text_fmt(cl_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** The same with & < > " escaped, for HTML and SVG; control characters become spaces. */
void cl_text_escaped(cl_text *t, const char *s);

void cl_text_fini(cl_text *t);

/** "640 us", "1.23 ms", "12.3 s": three digits of nanoseconds, for people. `to` is returned. */
const char *cl_time_text(char *to, size_t room, double ns);

/** "412 B", "4.1 KiB" … */
const char *cl_bytes_text(char *to, size_t room, double bytes);

#endif /* CL_TEXT_OUT_H */

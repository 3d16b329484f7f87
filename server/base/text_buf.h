/* text_buf.h - a growing text buffer with a limit from birth. Layer: server/base. Thread rule: one
 * owner at a time. */
#ifndef SRV_TEXT_BUF_H
#define SRV_TEXT_BUF_H

#include "engine/base/bytes.h"

/* A failed append (no memory, or over `most`) is remembered: writers append freely and the one who
 * sends looks at `failed` once. */
typedef struct srv_buf {
    char *data; /* owned; not NUL-ended */
    size_t len, cap;
    size_t most; /* bytes it may ever hold */
    bool failed;
} srv_buf;

/** Makes room for `more` bytes behind len and returns where they go; NULL when that fails. */
char *srv_buf_room(srv_buf *b, size_t more);

void srv_buf_add(srv_buf *b, const char *s, size_t len);
void srv_buf_text(srv_buf *b, const char *s);
void srv_buf_char(srv_buf *b, char c);
void srv_buf_fmt(srv_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Decimal digits of v. */
void srv_buf_u64(srv_buf *b, uint64_t v);
void srv_buf_i64(srv_buf *b, int64_t v);

/** Empties it; a block above `keep` bytes is given back, a smaller one stays for the next use. */
void srv_buf_reset(srv_buf *b, size_t keep);

void srv_buf_fini(srv_buf *b);

#endif /* SRV_TEXT_BUF_H */

/* text_buf.c - growing text buffer. Layer: server/base. Thread rule: one owner at a time. */
#include "server/base/text_buf.h"

#include "engine/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_BYTES 512

static bool grow(srv_buf *b, size_t want)
{
    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    while (cap < want)
        cap *= 2;
    if (cap > b->most) cap = b->most;
    char *data = nf_realloc(b->data, cap, NF_MEM_REQUEST);
    if (!data) return false;
    b->data = data;
    b->cap = cap;
    return true;
}

char *srv_buf_room(srv_buf *b, size_t more)
{
    size_t want;
    if (b->failed) return NULL;
    if (!nf_add_size(&want, b->len, more) || want > b->most || (want > b->cap && !grow(b, want))) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->len;
}

void srv_buf_add(srv_buf *b, const char *s, size_t len)
{
    char *to = len ? srv_buf_room(b, len) : NULL;
    if (!to) return;
    memcpy(to, s, len);
    b->len += len;
}

void srv_buf_text(srv_buf *b, const char *s)
{
    srv_buf_add(b, s, strlen(s));
}

void srv_buf_char(srv_buf *b, char c)
{
    srv_buf_add(b, &c, 1);
}

void srv_buf_fmt(srv_buf *b, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(line))
        b->failed = true; /* half a line is worse than none */
    else
        srv_buf_add(b, line, (size_t)n);
}

void srv_buf_u64(srv_buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    srv_buf_add(b, digits + at, sizeof(digits) - at);
}

void srv_buf_i64(srv_buf *b, int64_t v)
{
    if (v < 0) srv_buf_char(b, '-');
    srv_buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void srv_buf_reset(srv_buf *b, size_t keep)
{
    if (b->cap > keep) {
        nf_free(b->data);
        b->data = NULL;
        b->cap = 0;
    }
    b->len = 0;
    b->failed = false;
}

void srv_buf_fini(srv_buf *b)
{
    srv_buf_reset(b, 0);
}

/* text_out.c - bounded text, and numbers for people. Layer: clients. Thread rule: one owner. */
#include "clients/lib/text_out.h"

#include "engine/base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* Room for `more` bytes and a NUL; false (and failed) when over the limit or out of memory. */
static bool reserve(cl_text *t, size_t more)
{
    size_t need;
    if (t->failed || !nf_add_size(&need, t->len, more) || need > t->most) {
        t->failed = true;
        return false;
    }
    if (need + 1 <= t->cap) return true;
    const size_t cap = need + 1 > 2 * t->cap ? need + 256 : 2 * t->cap;
    char *s = nf_realloc(t->s, cap, NF_MEM_CLIENT);
    if (!s) {
        t->failed = true;
        return false;
    }
    t->s = s;
    t->cap = cap;
    return true;
}

void cl_text_add(cl_text *t, const char *s, size_t len)
{
    if (!reserve(t, len)) return;
    memcpy(t->s + t->len, s, len);
    t->len += len;
    t->s[t->len] = '\0';
}

void cl_text_fmt(cl_text *t, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0)
        t->failed = true;
    else if (reserve(t, (size_t)n))
        t->len += (size_t)vsnprintf(t->s + t->len, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
}

void cl_text_escaped(cl_text *t, const char *s)
{
    for (; *s; s++) {
        const char one[2] = {(unsigned char)*s < 32 ? ' ' : *s, '\0'};
        const char *as = *s == '&'   ? "&amp;"
                         : *s == '<' ? "&lt;"
                         : *s == '>' ? "&gt;"
                         : *s == '"' ? "&quot;"
                                     : one;
        cl_text_add(t, as, strlen(as));
    }
}

void cl_text_fini(cl_text *t)
{
    nf_free(t->s);
    *t = (cl_text){.most = t->most};
}

static const char *scaled(char *to, size_t room, double value, const char *unit)
{
    const double size = fabs(value);
    const int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    snprintf(to, room, "%.*f %s", digits, value, unit);
    return to;
}

const char *cl_time_text(char *to, size_t room, double ns)
{
    const double size = fabs(ns);
    if (size < 999.5e3) return scaled(to, room, ns / 1e3, "us");
    if (size < 999.5e6) return scaled(to, room, ns / 1e6, "ms");
    return scaled(to, room, ns / 1e9, "s");
}

const char *cl_bytes_text(char *to, size_t room, double bytes)
{
    if (bytes < 1023.5) {
        snprintf(to, room, "%.0f B", bytes);
        return to;
    }
    if (bytes < 1023.5 * 1024) return scaled(to, room, bytes / 1024, "KiB");
    return scaled(to, room, bytes / 1048576, "MiB");
}

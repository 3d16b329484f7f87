/* log.c - formats and escapes log lines. Layer: base. Thread rule: any thread. */
#include "engine/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LINE 1024

static nf_log_sink sink;
static void *sink_user;
static nf_log_level sink_most;

void nf_log_set(nf_log_sink to, void *user, nf_log_level most)
{
    sink = to;
    sink_user = user;
    sink_most = most;
}

/* A name from a request may hold line ends or terminal codes: they must not reach a terminal. */
static void escape(char *out, size_t size, const char *in)
{
    size_t n = 0;
    for (; *in && n + 5 < size; in++) {
        const unsigned char c = (unsigned char)*in;
        if (c >= 0x20 && c < 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
    }
    out[n] = '\0';
}

void nf_log(nf_log_level level, const char *area, const char *fmt, ...)
{
    char raw[LINE], clean[LINE];
    if (!sink || level > sink_most) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    escape(clean, sizeof(clean), raw);
    sink(level, area, clean, sink_user);
}

const char *nf_log_level_name(nf_log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    return names[level];
}

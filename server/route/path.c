/* path.c - the normal form of a request path. Layer: server/route. Thread rule: no shared state. */
#include "server/route/route.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._-~", c));
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The character at raw[*at], decoded; 0 when it may not stand in a path. Moves *at behind it. */
static char next_char(const char *raw, size_t *at)
{
    const char c = raw[*at];
    if (c != '%') {
        *at += 1;
        return is_unreserved((unsigned char)c) || c == '/' || c == ':' ? c : '\0';
    }
    const int high = hex(raw[*at + 1]);
    const int low = high < 0 ? -1 : hex(raw[*at + 2]);
    if (low < 0) return '\0';
    *at += 3;
    const unsigned char decoded = (unsigned char)(high * 16 + low);
    return is_unreserved(decoded) ? (char)decoded : '\0';
}

static nf_status check_segments(const char *path, nf_error *err)
{
    for (const char *at = path; *at == '/' && at[1];) {
        const size_t len = strcspn(++at, "/");
        if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
            return nf_fail(err, NF_EINVAL, "request path",
                           "empty, '.' and '..' segments are not allowed");
        at += len;
        if (*at == '/' && at[1] == '\0')
            return nf_fail(err, NF_EINVAL, "request path", "ends in '/'");
    }
    return NF_OK;
}

nf_status srv_path_normal(char *out, size_t size, const char *raw, nf_error *err)
{
    size_t n = 0;
    if (raw[0] != '/') return nf_fail(err, NF_EINVAL, "request path", "expected a leading '/'");
    for (size_t at = 0; raw[at];) {
        const size_t from = at;
        const char c = next_char(raw, &at);
        if (!c)
            return nf_fail(err, NF_EINVAL, "request path",
                           "expected letters, digits and ._-~/:, byte %zu is something else", from);
        if (n + 1 >= size)
            return nf_fail(err, NF_ETOOLARGE, "request path", "longer than %zu bytes", size - 1);
        out[n++] = c;
    }
    out[n] = '\0';
    return check_segments(out, err);
}

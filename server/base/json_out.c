/* json_out.c - writes JSON text. Layer: server/base. Thread rule: no shared state. */
#include "server/base/json_out.h"

#include "server/base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

void srv_json_string(srv_buf *b, nf_span s)
{
    srv_buf_char(b, '"');
    for (size_t i = 0; i < s.len;) {
        const unsigned char c = (unsigned char)s.s[i];
        const size_t n = srv_utf8_length(s.s + i, s.len - i);
        if (short_escape(c))
            srv_buf_text(b, short_escape(c));
        else if (c < 0x20 || c == 0x7f)
            srv_buf_fmt(b, "\\u%04x", c);
        else if (n == 0)
            srv_buf_text(b, "\xef\xbf\xbd");
        else
            srv_buf_add(b, s.s + i, n);
        i += n ? n : 1;
    }
    srv_buf_char(b, '"');
}

void srv_json_text(srv_buf *b, const char *s)
{
    srv_json_string(b, (nf_span){s, strlen(s)});
}

void srv_json_key(srv_buf *b, const char *key)
{
    srv_json_text(b, key);
    srv_buf_char(b, ':');
}

void srv_json_pair(srv_buf *b, const char *key, const char *value)
{
    srv_json_key(b, key);
    srv_json_text(b, value);
}

/* Largest distance from x that surely reads back as x: a hair less than half a unit in the last
 * place; a power of two has a nearer neighbour below, so half of that there. */
static double safe_distance(float x)
{
    int exp;
    const float mantissa = frexpf(x, &exp);
    const double half_ulp = ldexp(1.0, exp - FLT_MANT_DIG - 1);
    return half_ulp * (mantissa == 0.5f ? 0.499999 : 0.999999);
}

/* digits * 10^-places as text, at least one digit behind the point. places 0..13. */
static void put_fixed(srv_buf *b, uint64_t digits, int places)
{
    char text[32];
    size_t at = sizeof(text);
    while (places > 1 && digits % 10 == 0) {
        digits /= 10;
        places--;
    }
    if (places == 0) text[--at] = '0';
    for (int i = 0; i < places; i++) {
        text[--at] = (char)('0' + digits % 10);
        digits /= 10;
    }
    text[--at] = '.';
    do {
        text[--at] = (char)('0' + digits % 10);
        digits /= 10;
    } while (digits);
    srv_buf_add(b, text + at, sizeof(text) - at);
}

/* x in [1e-4, 1e7): tries 1, 2 … 13 places; false when none of at most 9 digits is near enough. */
static bool put_plain(srv_buf *b, float x)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                                  1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};
    const double near = safe_distance(x);
    for (int places = 0; places < (int)(sizeof(tens) / sizeof(tens[0])); places++) {
        const double digits = rint((double)x * tens[places]);
        if (digits >= 1e10) return false;
        if (fabs(digits / tens[places] - (double)x) > near) continue;
        put_fixed(b, (uint64_t)digits, places);
        return true;
    }
    return false;
}

static void put_general(srv_buf *b, float x)
{
    char text[32];
    for (int digits = 6; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x) break;
    }
    srv_buf_text(b, text);
    if (!strpbrk(text, ".e")) srv_buf_text(b, ".0");
}

void srv_json_f32(srv_buf *b, float v)
{
    if (!isfinite(v)) {
        srv_buf_text(b, "null");
        return;
    }
    if (signbit(v)) srv_buf_char(b, '-');
    v = fabsf(v);
    if (v == 0.0f)
        srv_buf_text(b, "0.0");
    else if (v < 1e-4f || v >= 1e7f || !put_plain(b, v))
        put_general(b, v);
}

void srv_json_f64(srv_buf *b, double v)
{
    char text[40];
    if (!isfinite(v)) {
        srv_buf_text(b, "null");
        return;
    }
    for (int digits = 15; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    srv_buf_text(b, text);
    if (!strpbrk(text, ".e")) srv_buf_text(b, ".0");
}

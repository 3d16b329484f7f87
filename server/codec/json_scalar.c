/* json_scalar.c - strings and numbers of the JSON reader. Layer: server/codec. Thread rule: no
 * shared state. */
#include "server/base/utf8.h"
#include "server/codec/json_in.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_MOST 400 /* characters of one number */

static int hex4(const char *s, const char *end)
{
    int v = 0;
    if (end - s < 4) return -1;
    for (int i = 0; i < 4; i++) {
        const char c = s[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        v = v * 16 + digit;
    }
    return v;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* \uXXXX at j->at (behind the 'u'), with its second half when it is a surrogate. */
static nf_status unicode_escape(srv_json *j, unsigned *out)
{
    const int first = hex4(j->at, j->end);
    if (first < 0) return srv_json_expected(j, "four hex digits behind \\u");
    *out = (unsigned)first;
    if (first == 0) return srv_json_expected(j, "a character other than NUL");
    if (first >= 0xd800 && first < 0xe000) {
        const bool pair =
            first < 0xdc00 && j->end - j->at >= 10 && j->at[4] == '\\' && j->at[5] == 'u';
        const int second = pair ? hex4(j->at + 6, j->end) : -1;
        if (second < 0xdc00 || second > 0xdfff)
            return srv_json_expected(j, "both halves of a surrogate pair");
        *out = 0x10000u + (((unsigned)first - 0xd800u) << 10) + ((unsigned)second - 0xdc00u);
        j->at += 6;
    }
    j->at += 4;
    return NF_OK;
}

/* One escape, j->at behind the backslash; *out is the character. */
static nf_status escape(srv_json *j, unsigned *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = j->at < j->end ? *j->at : '\0';
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *out = (unsigned char)to[known - from];
        j->at++;
        return NF_OK;
    }
    if (c != 'u') return srv_json_expected(j, "a known escape behind '\\'");
    j->at++;
    return unicode_escape(j, out);
}

/* Checks the string up to its closing quote; *escaped: it has a backslash. */
static nf_status check_string(srv_json *j, bool *escaped)
{
    *escaped = false;
    while (j->at < j->end && *j->at != '"') {
        const unsigned char c = (unsigned char)*j->at;
        unsigned ignored;
        nf_status st;
        if (c == '\\') {
            *escaped = true;
            j->at++;
            if ((st = escape(j, &ignored))) return st;
            continue;
        }
        if (c < 0x20) return srv_json_expected(j, "no control character in a string");
        const size_t n = c < 0x80 ? 1 : srv_utf8_length(j->at, (size_t)(j->end - j->at));
        if (n == 0) return srv_json_expected(j, "UTF-8");
        j->at += n;
    }
    return j->at < j->end ? NF_OK : srv_json_expected(j, "a closing quote");
}

/* raw has been checked; what it says is never longer than itself. */
static nf_status unescape(srv_json *j, nf_span *out, nf_span raw)
{
    srv_json r = {.start = raw.s, .at = raw.s, .end = raw.s + raw.len, .err = j->err};
    size_t n = 0;
    char *text = srv_arena_alloc(j->arena, raw.len);
    if (!text) return nf_fail(j->err, NF_ENOMEM, "request body", "no memory for a string");
    while (r.at < r.end) {
        unsigned c;
        nf_status st;
        if (*r.at != '\\') {
            text[n++] = *r.at++;
            continue;
        }
        r.at++;
        if ((st = escape(&r, &c))) return st;
        n += put_utf8(text + n, c);
    }
    *out = (nf_span){text, n};
    return NF_OK;
}

nf_status srv_json_string_of(srv_json *j, nf_span *out)
{
    bool escaped;
    if (srv_json_peek(j) != '"') return srv_json_expected(j, "a string");
    const char *from = ++j->at;
    const nf_status st = check_string(j, &escaped);
    if (st) return st;
    *out = (nf_span){from, (size_t)(j->at++ - from)};
    return escaped ? unescape(j, out, *out) : NF_OK;
}

static bool is_digit(const srv_json *j, const char *at)
{
    return at < j->end && *at >= '0' && *at <= '9';
}

/* What the characters of a number say, before they become a double. */
typedef struct decimal {
    uint64_t digits; /* the first 19 significant ones */
    int n;           /* significant digits seen */
    int exponent;    /* of ten, for `digits` */
    bool plain;      /* no point, no exponent */
} decimal;

static void add_digit(decimal *d, char c, bool behind_point)
{
    if (d->n < 19) {
        d->digits = d->digits * 10 + (uint64_t)(c - '0');
        d->n += d->digits != 0;
        d->exponent -= behind_point;
    } else {
        d->n++;
        d->exponent += !behind_point;
    }
}

static nf_status read_exponent(srv_json *j, decimal *d)
{
    int e = 0;
    const bool minus = ++j->at < j->end && *j->at == '-';
    if (j->at < j->end && (*j->at == '-' || *j->at == '+')) j->at++;
    if (!is_digit(j, j->at)) return srv_json_expected(j, "a digit in the exponent");
    for (; is_digit(j, j->at); j->at++)
        if (e < 100000) e = e * 10 + (*j->at - '0');
    d->exponent += minus ? -e : e;
    d->plain = false;
    return NF_OK;
}

/* The grammar of RFC 8259: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static nf_status read_decimal(srv_json *j, decimal *d)
{
    *d = (decimal){.plain = true};
    if (!is_digit(j, j->at)) return srv_json_expected(j, "a number");
    if (*j->at == '0' && is_digit(j, j->at + 1)) {
        j->at++;
        return srv_json_expected(j, "no digit behind a leading 0");
    }
    for (; is_digit(j, j->at); j->at++)
        add_digit(d, *j->at, false);
    if (j->at < j->end && *j->at == '.') {
        d->plain = false;
        j->at++;
        if (!is_digit(j, j->at)) return srv_json_expected(j, "a digit behind the point");
        for (; is_digit(j, j->at); j->at++)
            add_digit(d, *j->at, true);
    }
    if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) return read_exponent(j, d);
    return NF_OK;
}

/* Long or extreme numbers: the C library's exact conversion. The program never leaves the "C"
 * locale, so the point is a point. */
static nf_status convert_slowly(srv_json *j, double *out, const char *from, size_t len)
{
    char text[NUMBER_MOST + 1];
    if (len > NUMBER_MOST)
        return nf_fail(j->err, NF_EINVAL, "request body", "byte %td: a number of %zu characters",
                       from - j->start, len);
    memcpy(text, from, len);
    text[len] = '\0';
    *out = strtod(text, NULL);
    if (isfinite(*out)) return NF_OK;
    return nf_fail(j->err, NF_EINVAL, "request body", "byte %td: number %.24s is out of range",
                   from - j->start, text);
}

/* Digits only, from..end; false when they are over UINT64_MAX. */
static bool whole_u64(uint64_t *out, const char *from, const char *end)
{
    *out = 0;
    for (; from < end; from++)
        if (__builtin_mul_overflow(*out, 10u, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*from - '0'), out))
            return false;
    return true;
}

nf_status srv_json_number_of(srv_json *j, srv_number *out)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d;
    (void)srv_json_peek(j);
    const char *from = j->at;
    const bool minus = j->at < j->end && *j->at == '-';
    if (minus) j->at++;
    nf_status st = read_decimal(j, &d);
    if (st) return st;
    out->is_whole = d.plain && d.n <= 19 && d.digits <= (uint64_t)INT64_MAX + minus;
    out->whole = minus ? (int64_t)(0 - d.digits) : (int64_t)d.digits;
    out->is_huge = d.plain && !minus && !out->is_whole && whole_u64(&out->huge, from, j->at);
    /* Both operands exact, one rounding: the nearest double (Clinger 1990). */
    if (d.n <= 19 && d.digits <= 1ull << 53 && d.exponent >= -22 && d.exponent <= 22) {
        const double v = (double)d.digits;
        out->real = d.exponent < 0 ? v / tens[-d.exponent] : v * tens[d.exponent];
        if (minus) out->real = -out->real;
        return NF_OK;
    }
    if (d.digits == 0) return out->real = minus ? -0.0 : 0.0, NF_OK;
    return convert_slowly(j, &out->real, from, (size_t)(j->at - from));
}

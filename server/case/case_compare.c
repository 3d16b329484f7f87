/* case_compare.c - element by element. Layer: server/case. Thread rule: pure functions. */
#include "server/case/case_compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool srv_is_real(eng_dtype t)
{
    return t == ENG_F32 || t == ENG_F64 || t == ENG_F16 || t == ENG_BF16;
}

/* |a - b| of two integers; what does not fit 63 bits counts as infinite. */
static double integer_gap(const srv_recorded *want, const srv_recorded *got, size_t i)
{
    int64_t a, b, gap;
    if (want->dtype != ENG_I64 && want->dtype != ENG_U64)
        return fabs(srv_element(want->data, want->dtype, i) -
                    srv_element(got->data, got->dtype, i));
    memcpy(&a, want->data + i * sizeof(a), sizeof(a));
    memcpy(&b, got->data + i * sizeof(b), sizeof(b));
    if (__builtin_sub_overflow(a, b, &gap) || gap == INT64_MIN) return INFINITY;
    return (double)(gap < 0 ? -gap : gap);
}

static double float_gap(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b))) return 0;
    if (!isfinite(a) || !isfinite(b)) return INFINITY;
    return fabs(a - b);
}

static double allowed(srv_case_tolerance t, double want)
{
    switch (t.rule) {
    case SRV_CASE_LSB:
        return (double)t.lsb;
    case SRV_CASE_ABS_REL:
        return t.abs + t.rel * (isfinite(want) ? fabs(want) : 0);
    default:
        return 0;
    }
}

static bool same_bits(const srv_recorded *want, const srv_recorded *got, size_t i)
{
    const size_t size = eng_dtype_size(want->dtype);
    return memcmp(want->data + i * size, got->data + i * size, size) == 0;
}

static void copy_text(char *to, size_t size, nf_span s)
{
    snprintf(to, size, "%.*s", (int)(s.len < size ? s.len : size - 1), s.s);
}

/* Texts are the same or not. */
static srv_diff compare_texts(const srv_recorded *want, const srv_recorded *got)
{
    srv_diff d = {.elems = want->elems, .texts = true};
    for (size_t i = 0; i < want->elems; i++) {
        const nf_span a = srv_text(want, i), b = srv_text(got, i);
        if (a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0)) {
            d.equal++;
            continue;
        }
        d.worst = INFINITY;
        if (d.outside++) continue;
        d.first = i;
        copy_text(d.want_text, sizeof(d.want_text), a);
        copy_text(d.got_text, sizeof(d.got_text), b);
    }
    return d;
}

srv_diff srv_compare(const srv_recorded *want, const srv_recorded *got,
                     srv_case_tolerance tolerance)
{
    const bool floats = srv_is_real(want->dtype);
    srv_diff d = {.elems = want->elems};
    if (want->dtype == ENG_STR) return compare_texts(want, got);
    for (size_t i = 0; i < want->elems; i++) {
        const double a = srv_element(want->data, want->dtype, i);
        const double b = srv_element(got->data, got->dtype, i);
        const double gap = floats ? float_gap(a, b) : integer_gap(want, got, i);
        d.equal += same_bits(want, got, i) || (isnan(a) && isnan(b));
        if (gap > d.worst) d.worst = gap;
        if (gap <= allowed(tolerance, a)) continue;
        if (d.outside++ == 0) {
            d.first = i;
            d.want = a;
            d.got = b;
        }
    }
    return d;
}

void srv_diff_merge(srv_diff *into, const srv_diff *more)
{
    if (into->outside == 0 && more->outside > 0) {
        into->first = more->first;
        into->want = more->want;
        into->got = more->got;
        memcpy(into->want_text, more->want_text, sizeof(into->want_text));
        memcpy(into->got_text, more->got_text, sizeof(into->got_text));
    }
    into->texts |= more->texts;
    into->elems += more->elems;
    into->equal += more->equal;
    into->outside += more->outside;
    if (more->worst > into->worst) into->worst = more->worst;
}

bool srv_same_shape(const srv_recorded *a, const srv_recorded *b)
{
    if (a->rank != b->rank) return false;
    for (int d = 0; d < a->rank; d++)
        if (a->dim[d] != b->dim[d]) return false;
    return true;
}

void srv_dims_text(char *out, size_t size, const int64_t *dim, int rank)
{
    size_t at = (size_t)snprintf(out, size, "[");
    for (int d = 0; d < rank && at < size; d++)
        at += (size_t)snprintf(out + at, size - at, "%s%lld", d ? ", " : "", (long long)dim[d]);
    if (at < size) snprintf(out + at, size - at, "]");
}

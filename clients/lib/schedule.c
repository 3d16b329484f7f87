/* schedule.c - constant, Poisson and recorded arrivals. Layer: clients. Thread rule: one owner. */
#include "clients/lib/schedule.h"

#include "clients/lib/stats.h"
#include "engine/base/bytes.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TRACE_MOST   (64u << 20) /* bytes of a trace file */
#define SECONDS_MOST 86400.0

static const char trace_word[] = "trace:";

/* The line at *at, which ends with NUL or a line end; moves *at behind it. */
static nf_status read_line(cl_arrivals *a, const char **at, size_t line, nf_error *err)
{
    const char *from = *at;
    const char *end = from + strcspn(from, "\n");
    char *stop;
    *at = *end ? end + 1 : end;
    from += strspn(from, " \t\r");
    if (from >= end || *from == '#') return NF_OK;
    const double seconds = strtod(from, &stop);
    const uint64_t last = a->n_trace ? a->trace_ns[a->n_trace - 1] : 0;
    if (stop == from || stop > end || strspn(stop, " \t\r") < (size_t)(end - stop) ||
        !(seconds >= 0 && seconds <= SECONDS_MOST))
        return nf_fail(err, NF_EINVAL, a->name, "line %zu: expected seconds, 0 to %.0f", line,
                       SECONDS_MOST);
    const uint64_t ns = (uint64_t)llround(seconds * 1e9);
    if (ns < last)
        return nf_fail(err, NF_EINVAL, a->name, "line %zu: goes back to %.6f s", line, seconds);
    a->trace_ns[a->n_trace++] = ns;
    return NF_OK;
}

static nf_status read_lines(cl_arrivals *a, const char *text, size_t len, nf_error *err)
{
    nf_status st = NF_OK;
    size_t lines = 1;
    for (const char *c = text; (c = strchr(c, '\n')); c++)
        lines++;
    if (memchr(text, '\0', len)) return nf_fail(err, NF_EINVAL, a->name, "expected text");
    a->trace_ns = nf_alloc_array(lines, sizeof(*a->trace_ns), NF_MEM_CLIENT);
    if (!a->trace_ns) return nf_fail(err, NF_ENOMEM, a->name, "no memory for %zu lines", lines);
    for (size_t line = 1; *text && !st; line++)
        st = read_line(a, &text, line, err);
    if (st) return st;
    const double span = a->n_trace ? (double)a->trace_ns[a->n_trace - 1] / 1e9 : 0;
    if (span <= 0) return nf_fail(err, NF_EINVAL, a->name, "expected a moment after 0 s");
    a->rate = (double)a->n_trace / span;
    return NF_OK;
}

static nf_status read_trace(cl_arrivals *a, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    nf_status st = nf_read_file(&file, path, TRACE_MOST, NF_MEM_CLIENT, err);
    if (st) return st;
    char *text = nf_alloc(file.len + 1, NF_MEM_CLIENT);
    if (text) {
        memcpy(text, file.data, file.len);
        st = read_lines(a, text, file.len, err);
    } else {
        st = nf_fail(err, NF_ENOMEM, path, "no memory for %zu bytes", file.len);
    }
    nf_free(text);
    nf_free((void *)(uintptr_t)file.data);
    return st;
}

nf_status cl_arrivals_read(cl_arrivals *out, const char *text, double rate, uint64_t seed,
                           nf_error *err)
{
    nf_status st;
    *out = (cl_arrivals){.rate = rate, .seed = seed};
    snprintf(out->name, sizeof(out->name), "%s", text);
    if (strncmp(text, trace_word, strlen(trace_word)) == 0) {
        out->kind = CL_TRACE;
        st = read_trace(out, text + strlen(trace_word), err);
        if (st) cl_arrivals_fini(out);
        return st;
    }
    out->kind = strcmp(text, "poisson") == 0 ? CL_POISSON : CL_CONSTANT;
    if (out->kind == CL_CONSTANT && strcmp(text, "constant") != 0)
        return nf_fail(err, NF_EINVAL, "arrival",
                       "expected constant, poisson or trace:FILE, got '%s'", text);
    if (!(rate > 0)) return nf_fail(err, NF_EINVAL, "rate", "expected a rate above 0");
    return NF_OK;
}

void cl_arrivals_fini(cl_arrivals *a)
{
    nf_free(a->trace_ns);
    *a = (cl_arrivals){0};
}

void cl_schedule_start(cl_schedule *s, const cl_arrivals *a)
{
    *s = (cl_schedule){.of = a, .state = a->seed};
}

bool cl_schedule_next(cl_schedule *s, uint64_t *ns)
{
    const cl_arrivals *a = s->of;
    const uint64_t i = s->at++;
    switch (a->kind) {
    case CL_TRACE:
        if (i >= a->n_trace) return false;
        *ns = a->trace_ns[i];
        return true;
    case CL_POISSON: /* gaps are exponential; 1 - u is in (0, 1] */
        s->poisson_s += -log(1 - cl_random_unit(&s->state)) / a->rate;
        *ns = (uint64_t)(s->poisson_s * 1e9);
        return true;
    case CL_CONSTANT:
    default:
        *ns = (uint64_t)((double)i / a->rate * 1e9);
        return true;
    }
}

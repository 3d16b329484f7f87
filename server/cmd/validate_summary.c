/* validate_summary.c - counts over many folders of cases. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/validate_summary.h"

#include "engine/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static validate_row *row_of(validate_summary *s, const char *name)
{
    for (size_t i = 0; i < s->n_formats; i++)
        if (strcmp(s->formats[i].name, name) == 0) return &s->formats[i];
    if (s->n_formats == VALIDATE_FORMATS) return &s->formats[VALIDATE_FORMATS - 1];
    validate_row *const r = &s->formats[s->n_formats++];
    snprintf(r->name, sizeof(r->name), "%s", s->n_formats == VALIDATE_FORMATS ? "others" : name);
    return r;
}

/* Sizes differ from file to file: numbers of three digits and more become '#'. */
static void without_sizes(char *out, size_t size, nf_span why)
{
    size_t n = 0;
    for (size_t i = 0; i < why.len && n + 4 < size;) {
        size_t digits = 0;
        while (i + digits < why.len && why.s[i + digits] >= '0' && why.s[i + digits] <= '9')
            digits++;
        if (digits >= 3) out[n++] = '#';
        for (size_t k = 0; k < digits && digits < 3; k++)
            out[n++] = why.s[i + k];
        if (!digits) out[n++] = why.s[i];
        i += digits ? digits : 1;
    }
    out[n] = '\0';
}

static void add_reason(validate_summary *s, nf_span why)
{
    char text[sizeof(s->reasons[0].text)];
    without_sizes(text, sizeof(text), why);
    for (size_t i = 0; i < s->n_reasons; i++) {
        if (strcmp(s->reasons[i].text, text) != 0) continue;
        s->reasons[i].count++;
        return;
    }
    if (s->n_reasons == VALIDATE_REASONS) return;
    validate_reason *const r = &s->reasons[s->n_reasons++];
    snprintf(r->text, sizeof(r->text), "%s", text);
    r->count = 1;
}

/* "operators: Tanh x1, Expand x2" is a reason for each operator, whatever their counts. */
static void add_reasons(validate_summary *s, const char *why)
{
    static const char prefix[] = "operators: ";
    if (strncmp(why, prefix, sizeof(prefix) - 1) != 0) {
        add_reason(s, (nf_span){why, strlen(why)});
        return;
    }
    for (why += sizeof(prefix) - 1; *why;) {
        const size_t n = strcspn(why, " ,");
        char text[80];
        const int len = snprintf(text, sizeof(text), "operator %.*s", (int)(n < 60 ? n : 60), why);
        add_reason(s, (nf_span){text, (size_t)len});
        why += strcspn(why, ",");
        why += strspn(why, ", ");
    }
}

void validate_summary_add(validate_summary *s, const srv_check *c)
{
    s->count[c->verdict]++;
    row_of(s, *c->format ? c->format : "unknown")->count[c->verdict]++;
    if (c->verdict == SRV_UNSUPPORTED) add_reasons(s, c->why.text);
}

static int by_count(const void *a, const void *b)
{
    const validate_reason *const x = a, *const y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->text, y->text);
}

static void print_row(const char *name, const size_t count[3])
{
    const size_t all = count[SRV_PASS] + count[SRV_FAIL] + count[SRV_UNSUPPORTED];
    printf("%-20s %8zu %8zu %12zu %8zu %8.1f %%\n", name, count[SRV_PASS], count[SRV_FAIL],
           count[SRV_UNSUPPORTED], all, all ? 100 * (double)count[SRV_PASS] / (double)all : 0.0);
}

void validate_summary_print(validate_summary *s, bool reasons)
{
    printf("%-20s %8s %8s %12s %8s %10s\n", "format", "passed", "failed", "unsupported", "all",
           "passed");
    for (size_t i = 0; i < s->n_formats; i++)
        print_row(s->formats[i].name, s->formats[i].count);
    if (s->n_formats > 1) print_row("all", s->count);
    if (!reasons || !s->n_reasons) return;
    qsort(s->reasons, s->n_reasons, sizeof(s->reasons[0]), by_count);
    printf("\nunsupported because of\n");
    for (size_t i = 0; i < s->n_reasons; i++)
        printf("%6zu  %s\n", s->reasons[i].count, s->reasons[i].text);
}

static json_t *counts_json(const size_t count[3])
{
    return json_pack("{s:i, s:i, s:i}", "passed", (int)count[SRV_PASS], "failed",
                     (int)count[SRV_FAIL], "unsupported", (int)count[SRV_UNSUPPORTED]);
}

json_t *validate_summary_json(validate_summary *s)
{
    json_t *o = counts_json(s->count), *formats = json_object(), *reasons = json_array();
    qsort(s->reasons, s->n_reasons, sizeof(s->reasons[0]), by_count);
    for (size_t i = 0; i < s->n_formats; i++)
        json_object_set_new(formats, s->formats[i].name, counts_json(s->formats[i].count));
    for (size_t i = 0; i < s->n_reasons; i++)
        json_array_append_new(reasons, json_pack("{s:s, s:i}", "text", s->reasons[i].text, "count",
                                                 (int)s->reasons[i].count));
    json_object_set_new(o, "formats", formats);
    json_object_set_new(o, "reasons", reasons);
    return o;
}

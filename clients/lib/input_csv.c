/* input_csv.c - a labelled set as request bodies. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/input_set.h"
#include "clients/lib/text_out.h"
#include "engine/base/file.h"
#include "server/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MOST (64u << 20)

/* Numbers alone, so that what is sent is JSON. */
static bool is_numbers(const char *s)
{
    char *end = NULL;
    do {
        if (!strchr("-0123456789", *s) || !*s) return false;
        strtod(s, &end);
        s = end + (*end == ',');
    } while (*end == ',');
    return *end == '\0';
}

/* One line, cut from its end and split at its last comma. */
static bool split(char *line, char **label)
{
    char *comma;
    line[strcspn(line, "\r")] = '\0';
    comma = strrchr(line, ',');
    if (!comma || !comma[1]) return false;
    *comma = '\0';
    *label = comma + 1;
    return is_numbers(line);
}

static nf_status add_row(cl_inputs *in, const char *numbers, const char *label, nf_error *err)
{
    cl_text t = {.most = FILE_MOST};
    nf_bytes *bodies = nf_realloc(in->body, (in->n + 1) * sizeof(*bodies), NF_MEM_CLIENT);
    if (bodies) in->body = bodies;
    char **labels = nf_realloc(in->label, (in->n + 1) * sizeof(*labels), NF_MEM_CLIENT);
    if (labels) in->label = labels;
    char *copy = nf_strdup(label, strlen(label), NF_MEM_CLIENT);
    cl_text_fmt(&t, "{\"" WIRE_KEY_INSTANCES "\":[[%s]]}", numbers);
    if (!bodies || !labels || !copy || t.failed) {
        nf_free(copy);
        cl_text_fini(&t);
        return nf_fail(err, NF_ENOMEM, in->source, "no memory for row %zu", in->n + 1);
    }
    in->body[in->n] = (nf_bytes){(const uint8_t *)t.s, t.len};
    in->label[in->n++] = copy;
    return NF_OK;
}

static nf_status read_rows(cl_inputs *in, char *text, nf_error *err)
{
    nf_status st = NF_OK;
    char *label, *next;
    size_t number = 1;
    for (char *line = text; *line && !st; line = next, number++) {
        const size_t len = strcspn(line, "\n");
        next = line + len + (line[len] == '\n');
        line[len] = '\0';
        if (line[strspn(line, " \t\r")] == '\0') continue;
        if (split(line, &label))
            st = add_row(in, line, label, err);
        else if (number > 1)
            st = nf_fail(err, NF_EINVAL, in->source,
                         "line %zu: expected numbers, then a label, separated by commas", number);
    }
    if (!st && in->n == 0) st = nf_fail(err, NF_EINVAL, in->source, "no rows");
    return st;
}

nf_status cl_inputs_labelled(cl_inputs *out, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    nf_status st;
    *out = (cl_inputs){0};
    snprintf(out->source, sizeof(out->source), "%s", path);
    if ((st = nf_read_file(&file, path, FILE_MOST, NF_MEM_CLIENT, err))) return st;
    st = read_rows(out, (char *)file.data, err);
    nf_free((void *)file.data);
    if (st) cl_inputs_fini(out);
    return st;
}

/* cmd_labels.c - class names beside a model file. Layer: server/cmd. Thread rule: main thread. */
#include "engine/base/file.h"
#include "server/cmd/cmd_model.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MAX_LABELS      100000
#define MAX_LABEL_BYTES ((size_t)8 << 20)

static nf_status add(cmd_labels *l, const char *text, size_t len, nf_error *err)
{
    if (l->n >= MAX_LABELS) return nf_fail(err, NF_ETOOLARGE, "labels", "over %d", MAX_LABELS);
    if ((l->n & (l->n - 1)) == 0) { /* full at every power of two */
        char **bigger = nf_realloc(l->names, (l->n ? 2 * l->n : 1) * sizeof(*bigger), NF_MEM_MISC);
        if (!bigger) return nf_fail(err, NF_ENOMEM, "labels", "no memory");
        l->names = bigger;
    }
    l->names[l->n] = nf_strdup(text, len, NF_MEM_MISC);
    if (!l->names[l->n]) return nf_fail(err, NF_ENOMEM, "labels", "no memory");
    l->n++;
    return NF_OK;
}

static nf_status from_lines(cmd_labels *l, nf_bytes file, const char *path, nf_error *err)
{
    const char *at = (const char *)file.data;
    const char *const end = at + file.len;
    nf_status st = NF_OK;
    (void)path;
    while (at < end && !st) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        size_t len = (size_t)(stop - at);
        if (len && at[len - 1] == '\r') len--;
        if (len) st = add(l, at, len, err);
        at = stop + 1;
    }
    return st;
}

static nf_status from_manifest(cmd_labels *l, nf_bytes file, const char *path, nf_error *err)
{
    json_error_t why;
    json_t *root = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &why);
    nf_status st = NF_OK;
    size_t i;
    json_t *label;
    if (!root) return nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
    json_array_foreach(json_object_get(root, "labels"), i, label)
    {
        if (!json_is_string(label))
            st = nf_fail(err, NF_EINVAL, path, "labels[%zu]: expected a string", i);
        if (!st) st = add(l, json_string_value(label), json_string_length(label), err);
        if (st) break;
    }
    json_decref(root);
    return st;
}

typedef struct source {
    const char *name;
    nf_status (*read)(cmd_labels *l, nf_bytes file, const char *path, nf_error *err);
} source;

static const source sources[] = {
    {"labels.txt", from_lines},
    {"model.json", from_manifest},
    {"../labels.txt", from_lines},
    {"../model.json", from_manifest},
};

nf_status cmd_labels_read(cmd_labels *out, const char *path, nf_error *err)
{
    const char *slash = strrchr(path, '/');
    const int dir_len = slash ? (int)(slash - path) + 1 : 0;
    nf_status st = NF_OK;

    *out = (cmd_labels){0};
    for (size_t i = 0; i < NF_COUNT(sources) && !out->n && !st; i++) {
        char name[CMD_PATH_SIZE];
        nf_bytes file;
        const int n = snprintf(name, sizeof(name), "%.*s%s", dir_len, path, sources[i].name);
        if (n < 0 || (size_t)n >= sizeof(name)) continue;
        st = nf_read_file(&file, name, MAX_LABEL_BYTES, NF_MEM_MISC, NULL);
        if (st == NF_ENOTFOUND) {
            st = NF_OK;
            continue;
        }
        if (st) return nf_fail(err, st, name, "cannot read the labels");
        st = sources[i].read(out, file, name, err);
        nf_free((void *)file.data);
    }
    if (st) cmd_labels_fini(out);
    return st;
}

void cmd_labels_fini(cmd_labels *labels)
{
    for (size_t i = 0; i < labels->n; i++)
        nf_free(labels->names[i]);
    nf_free(labels->names);
    *labels = (cmd_labels){0};
}

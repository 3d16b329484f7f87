/* manifest.c - reads model.json and labels.txt. Layer: server/registry. Thread rule: loader
 * thread; the result is const. */
#include "server/registry/manifest.h"

#include "engine/base/bytes.h"
#include "engine/base/file.h"
#include "engine/base/log.h"

#include <jansson.h>
#include <stdio.h>

#define FILE_MOST   (1u << 20)
#define MEMORY_MOST (4u << 20)
#define LABELS_MOST 65536

/* One key of model.json: reads its value into the manifest. */
typedef struct manifest_key {
    const char *name;
    nf_status (*read)(srv_manifest *m, const json_t *value, nf_error *err);
} manifest_key;

static nf_status no_memory(nf_error *err)
{
    return nf_fail(err, NF_ENOMEM, "model.json", "no memory for what it says");
}

static const char *keep(srv_manifest *m, const char *s, size_t len)
{
    char *copy = srv_arena_alloc(&m->memory, len + 1);
    if (!copy) return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

static nf_status read_text(const char **out, srv_manifest *m, const json_t *v, const char *key,
                           nf_error *err)
{
    if (!json_is_string(v)) return nf_fail(err, NF_EINVAL, key, "expected a string");
    *out = keep(m, json_string_value(v), json_string_length(v));
    return *out ? NF_OK : no_memory(err);
}

static nf_status read_description(srv_manifest *m, const json_t *v, nf_error *err)
{
    return read_text(&m->description, m, v, "description", err);
}

static nf_status read_units(srv_manifest *m, const json_t *v, nf_error *err)
{
    return read_text(&m->units, m, v, "units", err);
}

/* "below": scores below the threshold are anomalies, as scikit-learn's are. */
static nf_status read_direction(srv_manifest *m, const json_t *v, nf_error *err)
{
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    if (!v || strcmp(text, "below") == 0) return NF_OK;
    m->above = strcmp(text, "above") == 0;
    if (m->above) return NF_OK;
    return nf_fail(err, NF_EINVAL, "task", "direction: expected \"below\" or \"above\"");
}

/* "regression", or {"kind": "anomaly", "output": "scores", "threshold": -0.05} */
static nf_status read_task(srv_manifest *m, const json_t *v, nf_error *err)
{
    static const char *const known[] = {"kind", "output", "threshold", "direction"};
    const json_t *output = json_object_get(v, "output"), *limit = json_object_get(v, "threshold");
    const char *key;
    json_t *ignored;
    nf_status st;
    if (!json_is_object(v)) return read_text(&m->task, m, v, "task", err);
    json_object_foreach((json_t *)v, key, ignored)
    {
        size_t i = 0;
        while (i < NF_COUNT(known) && strcmp(known[i], key) != 0)
            i++;
        if (i == NF_COUNT(known))
            return nf_fail(err, NF_EINVAL, "task",
                           "'%.60s': expected kind, output, threshold and direction", key);
    }
    if ((st = read_text(&m->task, m, json_object_get(v, "kind"), "task", err))) return st;
    if (output && (st = read_text(&m->score, m, output, "task", err))) return st;
    if (limit && !json_is_number(limit))
        return nf_fail(err, NF_EINVAL, "task", "threshold: expected a number");
    m->threshold = json_number_value(limit);
    return read_direction(m, json_object_get(v, "direction"), err);
}

static nf_status read_texts(const char ***out, size_t *n, srv_manifest *m, const json_t *v,
                            const char *key, nf_error *err)
{
    *n = json_array_size(v);
    if (!json_is_array(v) || *n > LABELS_MOST)
        return nf_fail(err, NF_EINVAL, key, "expected an array of at most %d strings", LABELS_MOST);
    *out = srv_arena_alloc(&m->memory, (*n + 1) * sizeof(**out));
    if (!*out) return no_memory(err);
    for (size_t i = 0; i < *n; i++) {
        const nf_status st = read_text(&(*out)[i], m, json_array_get(v, i), key, err);
        if (st) return st;
    }
    return NF_OK;
}

static nf_status read_labels(srv_manifest *m, const json_t *v, nf_error *err)
{
    return read_texts(&m->labels, &m->n_labels, m, v, "labels", err);
}

static nf_status read_features(srv_manifest *m, const json_t *v, nf_error *err)
{
    return read_texts(&m->features, &m->n_features, m, v, "features", err);
}

static nf_status read_precision(srv_manifest *m, const json_t *v, nf_error *err)
{
    static const eng_precision choices[] = {ENG_PREC_AUTO, ENG_PREC_FP32, ENG_PREC_INT8,
                                            ENG_PREC_INT4};
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    for (size_t i = 0; i < NF_COUNT(choices); i++) {
        if (strcmp(text, eng_precision_name(choices[i])) != 0) continue;
        m->precision = choices[i];
        return NF_OK;
    }
    return nf_fail(err, NF_EINVAL, "precision", "expected auto, fp32, int8 or int4");
}

static nf_status read_specific(srv_manifest *m, const json_t *list, nf_error *err)
{
    const size_t n = json_array_size(list);
    if (n == 0 || n > 1024)
        return nf_fail(err, NF_EINVAL, "version_policy", "expected 1 to 1024 specific versions");
    uint64_t *numbers = srv_arena_alloc(&m->memory, n * sizeof(*numbers));
    if (!numbers) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const json_int_t number = json_integer_value(json_array_get(list, i));
        if (number < 1) return nf_fail(err, NF_EINVAL, "version_policy", "versions start at 1");
        numbers[i] = (uint64_t)number;
    }
    m->policy = SRV_POLICY_SPECIFIC;
    m->specific = numbers;
    m->n_specific = n;
    return NF_OK;
}

/* "all", {"latest": 2} or {"specific": [1, 3]} */
static nf_status read_policy(srv_manifest *m, const json_t *v, nf_error *err)
{
    const json_t *specific = json_object_get(v, "specific");
    const json_int_t latest = json_integer_value(json_object_get(v, "latest"));
    if (json_is_string(v) && strcmp(json_string_value(v), "all") == 0) {
        m->policy = SRV_POLICY_ALL;
        return NF_OK;
    }
    if (json_is_array(specific)) return read_specific(m, specific, err);
    if (latest < 1)
        return nf_fail(err, NF_EINVAL, "version_policy",
                       "expected \"all\", {\"latest\": 2} or {\"specific\": [1, 3]}");
    m->policy = SRV_POLICY_LATEST;
    m->latest = (uint64_t)latest;
    return NF_OK;
}

static nf_status read_version_labels(srv_manifest *m, const json_t *v, nf_error *err)
{
    const char *key;
    json_t *value;
    const size_t n = json_object_size(v);
    if (!json_is_object(v) || n > 256)
        return nf_fail(err, NF_EINVAL, "version_labels", "expected {\"stable\": 1, …}");
    srv_version_label *rows = srv_arena_alloc(&m->memory, (n + 1) * sizeof(*rows));
    if (!rows) return no_memory(err);
    m->version_labels = rows;
    json_object_foreach((json_t *)v, key, value)
    {
        srv_version_label *row = &rows[m->n_version_labels++];
        row->version = (uint64_t)json_integer_value(value);
        row->name = keep(m, key, strlen(key));
        if (!row->name) return no_memory(err);
        if (json_integer_value(value) < 1)
            return nf_fail(err, NF_EINVAL, "version_labels", "'%s': expected a version from 1 on",
                           key);
    }
    return NF_OK;
}

/* For people and tools beside the server; the model file itself says the same. */
static nf_status pass_over(srv_manifest *m, const json_t *v, nf_error *err)
{
    (void)m, (void)v, (void)err;
    return NF_OK;
}

static const manifest_key keys[] = {
    {"description", read_description},
    {"features", read_features},
    {"labels", read_labels},
    {"precision", read_precision},
    {"task", read_task},
    {"units", read_units},
    {"version_labels", read_version_labels},
    {"version_policy", read_policy},
    {"batching", pass_over},
    {"inputs", pass_over},
    {"outputs", pass_over},
    {"name", pass_over},
    {"preprocess", pass_over},
    {"source", pass_over},
};

static const manifest_key *find_key(const char *name)
{
    for (size_t i = 0; i < NF_COUNT(keys); i++)
        if (strcmp(keys[i].name, name) == 0) return &keys[i];
    return NULL;
}

static nf_status read_keys(srv_manifest *m, json_t *root, const char *path, nf_error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(root)) return nf_fail(err, NF_EINVAL, path, "expected a JSON object");
    json_object_foreach(root, name, value)
    {
        const manifest_key *key = find_key(name);
        nf_status st;
        if (!key)
            nf_log(NF_LOG_WARN, "registry", "%s: unknown key '%s' is ignored", path, name);
        else if ((st = key->read(m, value, err)))
            return st;
    }
    return NF_OK;
}

static nf_status read_json(srv_manifest *m, const char *dir, nf_error *err)
{
    char path[4096];
    json_error_t where;
    nf_error miss = {0};
    nf_bytes file;
    snprintf(path, sizeof(path), "%s/model.json", dir);
    nf_status st = nf_read_file(&file, path, FILE_MOST, NF_MEM_REGISTRY, &miss);
    if (st == NF_ENOTFOUND) return NF_OK;
    if (st) return nf_note(err, st, path, "%s", miss.text), st;
    json_t *root = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &where);
    nf_free((void *)file.data);
    if (!root) return nf_fail(err, NF_EINVAL, path, "line %d: %s", where.line, where.text);
    st = read_keys(m, root, path, err);
    json_decref(root);
    return st;
}

static size_t count_lines(nf_bytes file)
{
    size_t n = 0;
    for (size_t i = 0; i < file.len; i++)
        n += file.data[i] == '\n';
    return n + 1;
}

static nf_status take_lines(srv_manifest *m, nf_bytes file, nf_error *err)
{
    const char *at = (const char *)file.data, *end = at + file.len;
    m->labels = srv_arena_alloc(&m->memory, count_lines(file) * sizeof(*m->labels));
    if (!m->labels) return no_memory(err);
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((eol ? eol : end) - at);
        const size_t step = len + 1;
        if (len && at[len - 1] == '\r') len--;
        const char *label = keep(m, at, len);
        if (!label) return no_memory(err);
        if (len) m->labels[m->n_labels++] = label;
        at += step;
    }
    return NF_OK;
}

static nf_status read_label_file(srv_manifest *m, const char *dir, nf_error *err)
{
    char path[4096];
    nf_error miss = {0};
    nf_bytes file;
    if (m->n_labels) return NF_OK; /* model.json has said it */
    snprintf(path, sizeof(path), "%s/labels.txt", dir);
    nf_status st = nf_read_file(&file, path, FILE_MOST, NF_MEM_REGISTRY, &miss);
    if (st == NF_ENOTFOUND) return NF_OK;
    if (st) return nf_note(err, st, path, "%s", miss.text), st;
    st = take_lines(m, file, err);
    nf_free((void *)file.data);
    return st;
}

nf_status srv_manifest_read(srv_manifest **out, const char *dir, nf_error *err)
{
    nf_status st = NF_OK;
    *out = NULL;
    srv_manifest *m = nf_alloc(sizeof(*m), NF_MEM_REGISTRY);
    if (!m) return no_memory(err);
    atomic_store(&m->refs, 1);
    m->memory.most = MEMORY_MOST;
    m->description = m->units = m->task = m->score = "";
    m->latest = 1;
    if (dir && ((st = read_json(m, dir, err)) || (st = read_label_file(m, dir, err))))
        srv_manifest_unref(&m);
    *out = m;
    return st;
}

srv_manifest *srv_manifest_ref(srv_manifest *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

void srv_manifest_unref(srv_manifest **m)
{
    if (*m && atomic_fetch_sub(&(*m)->refs, 1) == 1) {
        srv_arena_fini(&(*m)->memory);
        nf_free(*m);
    }
    *m = NULL;
}

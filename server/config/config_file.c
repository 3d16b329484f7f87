/* config_file.c - options from JSON. Layer: server/config. Thread rule: main thread. */
#include "engine/base/bytes.h"
#include "engine/base/mem.h"
#include "server/config/config.h"

#include <jansson.h>
#include <stdio.h>

/* The value as the text that a flag would have; numbers and booleans as JSON writes them. */
static bool text_of(char *out, size_t size, const json_t *v)
{
    int n = -1;
    if (json_is_string(v)) n = snprintf(out, size, "%s", json_string_value(v));
    if (json_is_boolean(v)) n = snprintf(out, size, "%s", json_is_true(v) ? "true" : "false");
    if (json_is_integer(v)) n = snprintf(out, size, "%lld", (long long)json_integer_value(v));
    if (json_is_real(v)) n = snprintf(out, size, "%g", json_real_value(v));
    return n >= 0 && (size_t)n < size;
}

/* Text options borrow their text: this keeps it as long as the configuration. */
static const char *keep(srv_config *c, const char *text)
{
    char **more = nf_realloc(c->texts, (c->n_texts + 1) * sizeof(*more), NF_MEM_MISC);
    if (!more) return NULL;
    c->texts = more;
    char *copy = nf_strdup(text, strlen(text), NF_MEM_MISC);
    if (copy) c->texts[c->n_texts++] = copy;
    return copy;
}

static nf_status set_one(srv_config *c, const char *key, const json_t *value, const char *path,
                         nf_error *err)
{
    char text[4096];
    nf_error why = {0};
    if (!nf_opts_find(srv_config_table(), key))
        return nf_fail(err, NF_EINVAL, path, "'%s' is no option (see nearfar serve --help)", key);
    if (!text_of(text, sizeof(text), value))
        return nf_fail(err, NF_EINVAL, path, "'%s': expected a string, a number or a boolean", key);
    const char *kept = keep(c, text);
    if (!kept) return nf_fail(err, NF_ENOMEM, path, "no memory");
    const nf_status st = nf_opts_set(c, srv_config_table(), key, kept, &why);
    if (st) nf_note(err, st, path, "'%s': %s", key, why.text);
    return st;
}

nf_status srv_config_json(srv_config *c, const char *text, size_t len, const char *path,
                          nf_error *err)
{
    json_error_t where;
    const char *key;
    json_t *value;
    nf_status st = NF_OK;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!root) return nf_fail(err, NF_EINVAL, path, "line %d: %s", where.line, where.text);
    if (!json_is_object(root)) st = nf_fail(err, NF_EINVAL, path, "expected a JSON object");
    json_object_foreach(root, key, value)
    {
        if (!st) st = set_one(c, key, value, path, err);
    }
    json_decref(root);
    return st;
}

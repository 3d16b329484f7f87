/* json_run.c - reads and writes runs. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/json_run.h"

#include "clients/lib/report_json.h"
#include "clients/lib/text_out.h"
#include "engine/base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN_MOST (64u << 20)

nf_status cl_run_read(json_t **out, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    json_error_t at;
    nf_status st;
    *out = NULL;
    if ((st = nf_read_file(&file, path, RUN_MOST, NF_MEM_CLIENT, err))) return st;
    json_t *j = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &at);
    nf_free((void *)file.data);
    if (!j)
        return nf_fail(err, NF_EINVAL, path, "expected JSON: %s (line %d, column %d)", at.text,
                       at.line, at.column);
    const char *schema = cl_json_text(j, "schema");
    if (strcmp(schema, CL_SCHEMA) != 0) {
        st = nf_fail(err, NF_EINVAL, path, "expected \"schema\": \"%s\", got \"%.40s\"", CL_SCHEMA,
                     schema);
        json_decref(j);
        return st;
    }
    *out = j;
    return NF_OK;
}

json_t *cl_json_at(json_t *j, const char *path)
{
    char key[64];
    while (j && *path) {
        const size_t len = strcspn(path, "/");
        if (len >= sizeof(key)) return NULL;
        memcpy(key, path, len);
        key[len] = '\0';
        path += len + (path[len] == '/');
        j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10)) : json_object_get(j, key);
    }
    return j;
}

double cl_json_number(json_t *j, const char *path)
{
    json_t *at = cl_json_at(j, path);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

const char *cl_json_text(json_t *j, const char *path)
{
    const char *s = json_string_value(cl_json_at(j, path));
    return s ? s : "";
}

nf_status cl_run_write(json_t *j, const char *path, nf_error *err)
{
    char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    if (!text) return nf_fail(err, NF_ENOMEM, path, "no memory for the run");
    const nf_status st = nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, err);
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
    return st;
}

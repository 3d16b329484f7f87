/* case.c - a folder of recorded cases, whichever kind it is. Layer: server/case. Thread rule: no
 * shared state. */
#include "server/case/case.h"

#include "engine/base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct kind {
    bool (*here)(const char *dir);
    nf_status (*read)(srv_case *c, nf_error *err);
} kind;

static const kind kinds[] = {
    {srv_case_json_here, srv_case_json_read},
    {srv_case_onnx_here, srv_case_onnx_read},
};

static const kind *kind_of(const char *dir)
{
    for (size_t i = 0; i < NF_COUNT(kinds); i++)
        if (kinds[i].here(dir)) return &kinds[i];
    return NULL;
}

bool srv_case_here(const char *dir)
{
    return kind_of(dir) != NULL;
}

bool srv_case_holds(const char *dir, const char *name)
{
    char path[4096];
    const int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

nf_status srv_case_path(char **out, const char *dir, const char *name, nf_error *err)
{
    const size_t n = strlen(dir) + strlen(name) + 2;
    *out = nf_alloc(n, NF_MEM_MISC);
    if (!*out) return nf_fail(err, NF_ENOMEM, dir, "no memory");
    snprintf(*out, n, "%s/%s", dir, name);
    return NF_OK;
}

/* The last part of a path without trailing slashes. */
static char *last_part(const char *dir)
{
    size_t end = strlen(dir);
    while (end > 1 && dir[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && dir[start - 1] != '/')
        start--;
    return nf_strdup(dir + start, end - start, NF_MEM_MISC);
}

nf_status srv_case_read(srv_case **out, const char *dir, nf_error *err)
{
    const kind *const k = kind_of(dir);
    srv_case *c = NULL;
    nf_status st;

    *out = NULL;
    if (!k)
        return nf_fail(err, NF_ENOTFOUND, dir,
                       "expected a case.json, or a model.onnx with test_data_set_0");
    c = nf_alloc(sizeof(*c), NF_MEM_MISC);
    if (c) c->dir = nf_strdup(dir, strlen(dir), NF_MEM_MISC);
    if (c) c->id = last_part(dir);
    if (!c || !c->dir || !c->id) {
        st = nf_fail(err, NF_ENOMEM, dir, "no memory");
        goto done;
    }
    if ((st = k->read(c, err))) goto done;
    *out = c;
    c = NULL;
done:
    srv_case_destroy(&c);
    return st;
}

static void free_refs(srv_case_ref *refs, size_t n)
{
    for (size_t i = 0; refs && i < n; i++)
        nf_free(refs[i].file);
    nf_free(refs);
}

void srv_case_destroy(srv_case **c)
{
    srv_case *const p = c ? *c : NULL;
    if (!p) return;
    for (size_t i = 0; p->items && i < p->n_items; i++) {
        free_refs(p->items[i].in, p->n_in);
        free_refs(p->items[i].out, p->n_out);
    }
    nf_free(p->items);
    nf_free(p->labels);
    nf_free(p->dir);
    nf_free(p->id);
    nf_free(p->model);
    json_decref(p->json);
    nf_free(p);
    *c = NULL;
}

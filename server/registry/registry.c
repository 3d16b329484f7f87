/* registry.c - rows of models and versions, and the way to one of them. Layer: server/registry.
 * Thread rule: see registry_inside.h. */
#include "server/registry/registry_inside.h"

#include "engine/base/mem.h"

#include <stdio.h>

nf_status srv_registry_create(srv_registry **out, const srv_registry_options *options,
                              nf_error *err)
{
    *out = nf_alloc(sizeof(**out), NF_MEM_REGISTRY);
    if (!*out) return nf_fail(err, NF_ENOMEM, "registry", "no memory");
    (*out)->options = *options;
    pthread_mutex_init(&(*out)->lock, NULL);
    return NF_OK;
}

static void free_version(version_row *v)
{
    srv_model_unref(&v->model);
    srv_stats_unref(&v->stats);
    nf_free(v);
}

static void free_row(model_row *m)
{
    for (size_t i = 0; i < m->n; i++)
        free_version(m->versions[i]);
    srv_manifest_unref(&m->manifest);
    nf_free(m->versions);
    nf_free(m);
}

void srv_registry_destroy(srv_registry **rp)
{
    srv_registry *r = *rp;
    if (!r) return;
    *rp = NULL;
    for (size_t i = 0; i < r->n; i++)
        free_row(r->models[i]);
    nf_free(r->models);
    pthread_mutex_destroy(&r->lock);
    nf_free(r);
}

model_row *srv_registry_row(const srv_registry *r, nf_span name)
{
    for (size_t i = 0; i < r->n; i++)
        if (nf_span_is(name, r->models[i]->name)) return r->models[i];
    return NULL;
}

version_row *srv_row_version(const model_row *m, uint64_t number)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->versions[i]->number == number) return m->versions[i];
    return NULL;
}

/* A copy of `rows` with room for one more at `at`; the caller frees the old array. */
static void **with_gap(void **rows, size_t n, size_t at)
{
    void **more = nf_alloc_array(n + 1, sizeof(*more), NF_MEM_REGISTRY);
    if (!more) return NULL;
    if (at) memcpy(more, rows, at * sizeof(*more));
    if (n > at) memcpy(more + at + 1, rows + at, (n - at) * sizeof(*more));
    return more;
}

model_row *srv_registry_add_row(srv_registry *r, const char *name)
{
    size_t at = 0;
    model_row *m = srv_registry_row(r, (nf_span){name, strlen(name)});
    if (m) return m;
    while (at < r->n && strcmp(r->models[at]->name, name) < 0)
        at++;
    m = nf_alloc(sizeof(*m), NF_MEM_REGISTRY);
    model_row **rows = (model_row **)with_gap((void **)r->models, r->n, at);
    if (!m || !rows || srv_manifest_read(&m->manifest, NULL, NULL)) {
        nf_free(m);
        nf_free(rows);
        return NULL;
    }
    snprintf(m->name, sizeof(m->name), "%s", name);
    rows[at] = m;
    pthread_mutex_lock(&r->lock);
    model_row **old = r->models;
    r->models = rows;
    r->n++;
    pthread_mutex_unlock(&r->lock);
    nf_free(old);
    return m;
}

void srv_registry_drop_row(srv_registry *r, model_row *m)
{
    size_t at = 0;
    while (r->models[at] != m)
        at++;
    pthread_mutex_lock(&r->lock);
    r->n--;
    memmove(r->models + at, r->models + at + 1, (r->n - at) * sizeof(*r->models));
    pthread_mutex_unlock(&r->lock);
    free_row(m);
}

version_row *srv_row_add_version(srv_registry *r, model_row *m, uint64_t number)
{
    size_t at = 0;
    version_row *v = srv_row_version(m, number);
    if (v) return v;
    while (at < m->n && m->versions[at]->number < number)
        at++;
    v = nf_alloc(sizeof(*v), NF_MEM_REGISTRY);
    version_row **rows = (version_row **)with_gap((void **)m->versions, m->n, at);
    srv_stats *stats = srv_stats_create(r->options.load.n_slots);
    if (!v || !rows || !stats) {
        nf_free(v);
        nf_free(rows);
        srv_stats_unref(&stats);
        return NULL;
    }
    *v = (version_row){.number = number, .state = SRV_UNLOADED, .stats = stats};
    rows[at] = v;
    pthread_mutex_lock(&r->lock);
    version_row **old = m->versions;
    m->versions = rows;
    m->n++;
    pthread_mutex_unlock(&r->lock);
    nf_free(old);
    return v;
}

static void choose_default(model_row *m)
{
    m->dflt = NULL;
    for (size_t i = 0; i < m->n; i++)
        if (m->versions[i]->state == SRV_AVAILABLE) m->dflt = m->versions[i];
}

void srv_row_set(srv_registry *r, model_row *m, version_row *v, srv_state state,
                 srv_model *take_model, const char *reason)
{
    pthread_mutex_lock(&r->lock);
    srv_model *old = v->model;
    v->model = take_model;
    v->state = state;
    snprintf(v->reason, sizeof(v->reason), "%s", reason);
    choose_default(m);
    pthread_mutex_unlock(&r->lock);
    srv_model_unref(&old);
}

void srv_row_drop_version(srv_registry *r, model_row *m, version_row *v)
{
    size_t at = 0;
    while (m->versions[at] != v)
        at++;
    pthread_mutex_lock(&r->lock);
    m->n--;
    memmove(m->versions + at, m->versions + at + 1, (m->n - at) * sizeof(*m->versions));
    choose_default(m);
    pthread_mutex_unlock(&r->lock);
    free_version(v);
}

static nf_status no_such(const srv_selector *which, const char *what, nf_error *err)
{
    return nf_fail(err, NF_ENOTFOUND, "model", "'%.*s' has no %s '%.*s'", (int)which->name.len,
                   which->name.s, what, (int)which->which.len, which->which.s);
}

/* The version a request asks for; NULL in *out only with a status. Under the lock. */
static nf_status select_version(const version_row **out, const model_row *m,
                                const srv_selector *which, nf_error *err)
{
    uint64_t number = 0;
    *out = m->dflt;
    if (which->pick == SRV_PICK_LABEL) {
        const srv_manifest *mf = m->manifest;
        for (size_t i = 0; i < mf->n_version_labels && !number; i++)
            if (nf_span_is(which->which, mf->version_labels[i].name))
                number = mf->version_labels[i].version;
        if (!number) return no_such(which, "label", err);
    } else if (which->pick == SRV_PICK_VERSION) {
        if (!srv_version_parse(&number, which->which))
            return nf_fail(err, NF_EINVAL, "version", "expected a number of at most 18 digits");
    }
    if (number && !(*out = srv_row_version(m, number))) return no_such(which, "version", err);
    if (*out) return NF_OK;
    if (m->n == 0) return nf_fail(err, NF_ENOTFOUND, "model", "'%s' has no versions", m->name);
    *out = m->versions[m->n - 1];
    return NF_OK;
}

static nf_status not_available(const model_row *m, const version_row *v, nf_error *err)
{
    static const char *const texts[] = {"is loading", "answers", "is not loaded", "failed to load"};
    return nf_fail(err, NF_ELOADING, "model", "'%s' version %llu %s%s%s", m->name,
                   (unsigned long long)v->number, texts[v->state], *v->reason ? ": " : "",
                   v->reason);
}

nf_status srv_registry_get(srv_model **out, srv_registry *r, const srv_selector *which,
                           nf_error *err)
{
    const version_row *v = NULL;
    nf_status st;
    *out = NULL;
    pthread_mutex_lock(&r->lock);
    const model_row *m = srv_registry_row(r, which->name);
    if (!m)
        st = r->scanned ? nf_fail(err, NF_ENOTFOUND, "model", "no model is called '%.*s'",
                                  (int)which->name.len, which->name.s)
                        : nf_fail(err, NF_ELOADING, "model", "the models are being loaded");
    else if (!(st = select_version(&v, m, which, err)) && v->state != SRV_AVAILABLE)
        st = not_available(m, v, err);
    if (!st) *out = srv_model_ref(v->model);
    pthread_mutex_unlock(&r->lock);
    return st;
}

size_t srv_registry_list(srv_registry *r, const nf_span *name,
                         void (*each)(void *arg, const srv_version_view *v), void *arg)
{
    size_t n = 0;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n; i++) {
        const model_row *m = r->models[i];
        if (name && !nf_span_is(*name, m->name)) continue;
        for (size_t k = 0; k < m->n; k++, n++) {
            const version_row *v = m->versions[k];
            each(arg, &(srv_version_view){m->name, v->number, v->state, v == m->dflt, v->reason,
                                          v->model, v->stats});
        }
    }
    pthread_mutex_unlock(&r->lock);
    return n;
}

static bool is_loading(const model_row *m)
{
    for (size_t i = 0; i < m->n && !m->dflt; i++)
        if (m->versions[i]->state == SRV_LOADING) return true;
    return false;
}

bool srv_registry_ready(srv_registry *r)
{
    pthread_mutex_lock(&r->lock);
    bool ready = r->scanned;
    for (size_t i = 0; i < r->n && ready; i++)
        ready = !is_loading(r->models[i]);
    pthread_mutex_unlock(&r->lock);
    return ready;
}

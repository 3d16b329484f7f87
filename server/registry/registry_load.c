/* registry_load.c - brings the rows in line with what lies on disk. Layer: server/registry. Thread
 * rule: loader thread. */
#include "server/registry/registry_inside.h"

#include "engine/base/file.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "server/table/float_rows.h"

#include <stdio.h>

static file_mark mark_of(const char *path)
{
    struct stat s;
    if (stat(path, &s)) return (file_mark){0};
    return (file_mark){s.st_size, (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec,
                       s.st_ino};
}

static bool same_mark(file_mark a, file_mark b)
{
    return a.size == b.size && a.mtime_ns == b.mtime_ns && a.inode == b.inode;
}

/* What models hold: graphs, packed weights, sessions. */
static size_t model_bytes(void)
{
    return nf_mem_live(NF_MEM_GRAPH) + nf_mem_live(NF_MEM_WEIGHTS) + nf_mem_live(NF_MEM_ARENA);
}

static nf_status over_budget(const char *name, size_t need, size_t used, size_t budget,
                             nf_error *err)
{
    return nf_fail(err, NF_EBUDGET, name,
                   "needs %.1f KiB, the models hold %.1f of the %.1f KiB of --memory-budget",
                   (double)need / 1024, (double)used / 1024, (double)budget / 1024);
}

/* Calibration data stands beside the file of the version, or in the model's folder. False when
 * there is none, or INT8 is not what will run. */
static bool find_calibration(char path[SRV_PATH_ROOM], const srv_registry *r, const model_row *m,
                             const version_row *v)
{
    char beside[SRV_PATH_ROOM], above[SRV_PATH_ROOM];
    const char *const folders[] = {above, beside, above};
    const size_t first = *v->path ? 1 : 0, n = m->file || !*v->path ? 1 : 2; /* "": an upload */
    const char *slash = strrchr(v->path, '/');
    const eng_options o = srv_model_options(&r->options.load, m->manifest);
    if (!eng_wants_int8(&o)) return false;
    snprintf(beside, sizeof(beside), "%.*s", slash ? (int)(slash - v->path) : 1,
             slash ? v->path : ".");
    snprintf(above, sizeof(above), "%s/%s", r->options.models, m->name);
    return srv_rows_find(path, SRV_PATH_ROOM, folders + first, n);
}

static file_mark calibration_mark(const srv_registry *r, const model_row *m, const version_row *v)
{
    char path[SRV_PATH_ROOM];
    return find_calibration(path, r, m, v) ? mark_of(path) : (file_mark){0};
}

/* Makes the model, calibrated where there is data for it. */
static nf_status create_model(srv_model **out, const srv_registry *r, const model_row *m,
                              const version_row *v, nf_bytes file, const char *folder,
                              nf_error *err)
{
    char path[SRV_PATH_ROOM];
    srv_rows rows = {0};
    const bool found = find_calibration(path, r, m, v);
    nf_status st = found ? srv_rows_read(&rows, path, err) : NF_OK;
    const eng_calibration c = {rows.v, rows.n, rows.width, path};
    const srv_model_id id = {m->name, v->number, m->manifest, v->stats, folder, found ? &c : NULL};
    if (!st) st = srv_model_create(out, &r->options.load, &id, file, err);
    srv_rows_fini(&rows);
    return st;
}

/* Loads one version from bytes within the memory budget; folder: see srv_model_id. */
static nf_status load_bytes(srv_model **out, srv_registry *r, const model_row *m, version_row *v,
                            nf_bytes file, const char *folder, nf_error *err)
{
    const size_t budget = (size_t)srv_live_get(&r->options.live->memory_budget);
    const size_t before = model_bytes();
    *out = NULL;
    if (budget && file.len / 4 > budget) return over_budget(m->name, file.len, before, budget, err);
    const nf_status st = create_model(out, r, m, v, file, folder, err);
    const size_t after = model_bytes();
    if (st || !budget || after <= budget) return st;
    srv_model_unref(out);
    return over_budget(m->name, after - before, before, budget, err);
}

static nf_status read_model(nf_bytes *file, srv_registry *r, const char *path, nf_error *err)
{
    return nf_read_file(file, path, (size_t)srv_live_get(&r->options.live->max_model_bytes),
                        NF_MEM_REGISTRY, err);
}

static void log_loaded(const srv_model *m)
{
    nf_log(NF_LOG_INFO, "registry",
           "%s version %s loaded in %llu us: %s, %s arithmetic, %s, %zu calibration rows, %zu ops, "
           "%zu bytes of weights, %zu of arena, %.1f us a row",
           m->name, m->version_text, (unsigned long long)m->load_us, m->info->format,
           eng_arith_name(m->info->arith), eng_precision_name(m->info->precision),
           m->info->calibration_rows, m->info->n_ops, m->info->weight_bytes, m->info->arena_bytes,
           (double)m->row_ns / 1e3);
}

/* An error as clients see it: they need not know where the models folder lies. */
static void reason_of(char *out, size_t size, const srv_registry *r, const nf_error *why)
{
    const size_t root = strlen(r->options.models);
    const bool below = root && strncmp(why->where, r->options.models, root) == 0;
    snprintf(out, size, "%.80s: %.160s", why->where + (below ? root + 1 : 0), why->text);
}

/* Loads v from its file and swaps it in. On failure what answered before still does. */
static nf_status load_version(srv_registry *r, model_row *m, version_row *v, nf_error *err)
{
    nf_error why = {0};
    nf_bytes file = {0};
    srv_model *fresh = NULL;
    const file_mark mark =
        mark_of(v->path); /* before the bytes: a later change is seen next time */
    const file_mark calibration = calibration_mark(r, m, v);
    if (!v->model) srv_row_set(r, m, v, SRV_LOADING, NULL, "");
    nf_status st = read_model(&file, r, v->path, &why);
    char folder[NF_PATH_ROOM];
    nf_folder_of(folder, v->path);
    if (!st) st = load_bytes(&fresh, r, m, v, file, folder, &why);
    nf_free((void *)file.data);
    if (st) {
        char reason[256];
        reason_of(reason, sizeof(reason), r, &why);
        nf_log(NF_LOG_ERROR, "registry", "%s version %llu: %s: %s: %s", m->name,
               (unsigned long long)v->number, nf_status_name(st), why.where, why.text);
        srv_row_set(r, m, v, v->model ? SRV_AVAILABLE : SRV_FAILED,
                    v->model ? srv_model_ref(v->model) : NULL, reason);
        nf_note(err, st, why.where, "%s", why.text);
        return st;
    }
    v->mark = mark;
    v->calibration = calibration;
    log_loaded(fresh);
    srv_row_set(r, m, v, SRV_AVAILABLE, fresh, "");
    return NF_OK;
}

static bool is_specific(const srv_manifest *mf, uint64_t number)
{
    for (size_t i = 0; i < mf->n_specific; i++)
        if (mf->specific[i] == number) return true;
    return false;
}

/* Does the policy ask for version i of m? Only versions that are on disk count. */
static bool is_wanted(const model_row *m, size_t i)
{
    const srv_manifest *mf = m->manifest;
    size_t above = 0;
    if (!m->versions[i]->found) return false;
    if (m->versions[i]->pinned || mf->policy == SRV_POLICY_ALL) return true;
    if (mf->policy == SRV_POLICY_SPECIFIC) return is_specific(mf, m->versions[i]->number);
    for (size_t k = i + 1; k < m->n; k++)
        above += m->versions[k]->found;
    return above < mf->latest;
}

/* A copy of the list: rows may be dropped while it is walked. */
static void unload_rest(srv_registry *r, model_row *m, bool all_answer)
{
    for (size_t i = m->n; i-- > 0;) {
        version_row *v = m->versions[i];
        if (is_wanted(m, i)) continue;
        if (!v->found)
            srv_row_drop_version(r, m, v);
        else if (all_answer && v->state != SRV_UNLOADED)
            srv_row_set(r, m, v, SRV_UNLOADED, NULL, "");
    }
}

/* Loads the wanted versions that are new or changed (all with `force`), then lets go of the rest.
 * Returns the first failure. */
static nf_status apply(srv_registry *r, model_row *m, bool force, nf_error *err)
{
    nf_status first = NF_OK;
    for (size_t i = 0; i < m->n; i++) {
        version_row *v = m->versions[i];
        if (!is_wanted(m, i)) continue;
        if (!force && v->state == SRV_AVAILABLE && same_mark(v->mark, mark_of(v->path)) &&
            same_mark(v->calibration, calibration_mark(r, m, v)))
            continue;
        const nf_status st = load_version(r, m, v, err);
        if (st && !first) first = st;
    }
    unload_rest(r, m, first == NF_OK);
    return first;
}

static void forget_found(model_row *m)
{
    for (size_t i = 0; i < m->n; i++)
        m->versions[i]->found = false;
}

static nf_status note_found(srv_registry *r, model_row *m, uint64_t number, const char *path,
                            nf_error *err)
{
    version_row *v = srv_row_add_version(r, m, number);
    if (!v) return nf_fail(err, NF_ENOMEM, m->name, "no memory for another version");
    v->found = true;
    snprintf(v->path, sizeof(v->path), "%s", path);
    return NF_OK;
}

static void set_manifest(srv_registry *r, model_row *m, srv_manifest *take_manifest)
{
    pthread_mutex_lock(&r->lock);
    srv_manifest *old = m->manifest;
    m->manifest = take_manifest;
    pthread_mutex_unlock(&r->lock);
    srv_manifest_unref(&old);
}

/* Versions that do not answer yet say why: their manifest cannot be read. */
static void mark_failed(srv_registry *r, model_row *m, const srv_found *found, const nf_error *why)
{
    char reason[256];
    reason_of(reason, sizeof(reason), r, why);
    for (size_t i = 0; i < found->n; i++) {
        version_row *v = srv_row_add_version(r, m, found->versions[i].number);
        if (v && !v->model && !m->held) srv_row_set(r, m, v, SRV_FAILED, NULL, reason);
    }
}

/* Looks at the model's folder again: manifest and versions. */
static nf_status look_again(srv_registry *r, model_row *m, nf_error *err)
{
    char dir[SRV_PATH_ROOM];
    srv_manifest *fresh = NULL;
    srv_found found = {0};
    nf_error why = {0};
    nf_status st;
    snprintf(dir, sizeof(dir), "%s/%s", r->options.models, m->name);
    if ((st = srv_store_look(&found, r->options.models, m->name, r->options.load.mode_name, err)))
        goto done;
    if ((st = srv_manifest_read(&fresh, dir, &why))) {
        mark_failed(r, m, &found, &why);
        nf_note(err, st, why.where, "%s", why.text);
        goto done;
    }
    set_manifest(r, m, fresh);
    forget_found(m);
    for (size_t i = 0; i < found.n && !st; i++)
        st = note_found(r, m, found.versions[i].number, found.versions[i].path, err);
done:
    srv_found_fini(&found);
    return st;
}

static nf_status look_at_file(srv_registry *r, model_row *m, nf_error *err)
{
    forget_found(m);
    return note_found(r, m, 1, m->file, err);
}

static nf_status refresh(srv_registry *r, model_row *m, bool force, nf_error *err)
{
    const nf_status st = m->file ? look_at_file(r, m, err) : look_again(r, m, err);
    if (st)
        nf_log(NF_LOG_ERROR, "registry", "%s: %s: %s", m->name, err ? err->where : "",
               err ? err->text : nf_status_text(st));
    if (st || m->held) return st;
    return apply(r, m, force, err); /* logs for itself */
}

static nf_status scan_folder(void *arg, const char *name)
{
    srv_registry *r = arg;
    nf_error why = {0};
    srv_found found = {0};
    const nf_span span = {name, strlen(name)};
    const model_row *known = srv_registry_row(r, span);
    if (known && known->file) return NF_OK; /* the command line's file has that name */
    if (!known) {                           /* a folder without a version is no model */
        const nf_status st =
            srv_store_look(&found, r->options.models, name, r->options.load.mode_name, &why);
        const size_t n = found.n;
        srv_found_fini(&found);
        if (st || n == 0) {
            nf_log(st ? NF_LOG_WARN : NF_LOG_INFO, "registry", "%s/%s: passed over: %s",
                   r->options.models, name, st ? why.text : "no model file and no version folder");
            return NF_OK;
        }
    }
    model_row *m = srv_registry_add_row(r, name);
    if (!m) return NF_ENOMEM;
    (void)refresh(r, m, false, &why); /* has been logged; the other models go on */
    return NF_OK;
}

/* Name of a model that is a file of the command line: "a/b/temp.tflite" is "temp". */
static nf_status stem_of(char *out, const char *path, nf_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *from = slash ? slash + 1 : path;
    const size_t len = strcspn(from, ".");
    if (!srv_name_ok((nf_span){from, len}))
        return nf_fail(err, NF_EINVAL, path,
                       "its stem is no model name (1 to 64 of A-Z a-z 0-9 . _ -)");
    memcpy(out, from, len);
    out[len] = '\0';
    return NF_OK;
}

static nf_status scan_files(srv_registry *r, nf_error *err)
{
    nf_status first = NF_OK;
    for (size_t i = 0; i < r->options.n_files; i++) {
        char name[SRV_NAME_MOST + 1];
        nf_status st = stem_of(name, r->options.files[i], err);
        model_row *m = st ? NULL : srv_registry_add_row(r, name);
        if (!st && !m) st = nf_fail(err, NF_ENOMEM, name, "no memory for another model");
        if (m) m->file = r->options.files[i];
        if (m) st = refresh(r, m, false, err);
        if (st && !first) first = st;
    }
    return first;
}

static void drop_if_empty(srv_registry *r, model_row *m)
{
    if (m->n == 0 && !m->file) srv_registry_drop_row(r, m);
}

/* Folders that are gone: their models go too. */
static void drop_missing(srv_registry *r)
{
    for (size_t i = r->n; i-- > 0;) {
        model_row *m = r->models[i];
        char dir[SRV_PATH_ROOM];
        struct stat s;
        snprintf(dir, sizeof(dir), "%s/%s", r->options.models, m->name);
        if (m->file || stat(dir, &s) == 0) continue;
        forget_found(m);
        unload_rest(r, m, true);
        drop_if_empty(r, m);
    }
}

nf_status srv_registry_scan(srv_registry *r, nf_error *err)
{
    nf_status st = scan_files(r, err);
    if (*r->options.models) {
        const nf_status folder = srv_store_each(r->options.models, scan_folder, r, err);
        if (!st) st = folder;
        drop_missing(r);
    }
    pthread_mutex_lock(&r->lock);
    r->scanned = true;
    pthread_mutex_unlock(&r->lock);
    return st;
}

static nf_status unknown(nf_span name, nf_error *err)
{
    return nf_fail(err, NF_ENOTFOUND, "model", "no model is called '%.*s'", (int)name.len, name.s);
}

nf_status srv_registry_load(srv_registry *r, nf_span name, nf_error *err)
{
    model_row *m = srv_registry_row(r, name);
    if (!m && *r->options.models && srv_name_ok(name)) { /* perhaps a new folder */
        char text[SRV_NAME_MOST + 1];
        snprintf(text, sizeof(text), "%.*s", (int)name.len, name.s);
        (void)scan_folder(r, text);
        m = srv_registry_row(r, name);
        if (m && m->dflt) return NF_OK;
    }
    if (!m) return unknown(name, err);
    m->held = false;
    const nf_status st = refresh(r, m, true, err);
    if (st || m->dflt) return st;
    drop_if_empty(r, m);
    return nf_fail(err, NF_ENOTFOUND, "model",
                   "'%.*s' has no version in --models that its version_policy asks for",
                   (int)name.len, name.s);
}

nf_status srv_registry_unload(srv_registry *r, nf_span name, nf_error *err)
{
    model_row *m = srv_registry_row(r, name);
    if (!m) return unknown(name, err);
    pthread_mutex_lock(&r->lock);
    m->held = true;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < m->n; i++)
        srv_row_set(r, m, m->versions[i], SRV_UNLOADED, NULL, "by an administrator");
    return NF_OK;
}

/* NF_OK and *same, or NF_ECONFLICT: the version is there with other bytes. */
static nf_status compare_stored(bool *same, srv_registry *r, const version_row *v, nf_bytes file,
                                nf_error *err)
{
    nf_bytes old = {0};
    *same = false;
    if (!v || !v->found) return NF_OK;
    const nf_status st = read_model(&old, r, v->path, err);
    if (st == NF_ENOTFOUND) return NF_OK; /* somebody has removed it since the last look */
    *same = !st && old.len == file.len && memcmp(old.data, file.data, file.len) == 0;
    nf_free((void *)old.data);
    if (st || *same) return st;
    return nf_fail(err, NF_ECONFLICT, "version",
                   "%llu is there with other content: delete it first, or take another number",
                   (unsigned long long)v->number);
}

static size_t index_of(const model_row *m, const version_row *v)
{
    size_t i = 0;
    while (m->versions[i] != v)
        i++;
    return i;
}

/* Verifies, stores and swaps in. m and v are rows that exist. */
static nf_status store_version(srv_registry *r, model_row *m, version_row *v, nf_bytes file,
                               nf_error *err)
{
    srv_model *fresh = NULL;
    char path[SRV_PATH_ROOM];
    nf_status st = load_bytes(&fresh, r, m, v, file, NULL, err);
    if (!st) st = srv_store_put(path, sizeof(path), r->options.models, fresh, file, err);
    if (st) {
        srv_model_unref(&fresh);
        return st;
    }
    snprintf(v->path, sizeof(v->path), "%s", path);
    v->mark = mark_of(path);
    v->calibration = calibration_mark(r, m, v);
    v->found = true;
    v->pinned = !is_wanted(m, index_of(m, v)); /* an older version, uploaded on purpose */
    m->held = false;
    log_loaded(fresh);
    srv_row_set(r, m, v, SRV_AVAILABLE, fresh, "");
    unload_rest(r, m, true);
    return NF_OK;
}

nf_status srv_registry_put(srv_registry *r, nf_span name, uint64_t version, nf_bytes file,
                           nf_error *err)
{
    char text[SRV_NAME_MOST + 1];
    bool same = false;
    if (!*r->options.models)
        return nf_fail(err, NF_EREADONLY, "--models",
                       "there is no models folder: start the server with --models FOLDER");
    snprintf(text, sizeof(text), "%.*s", (int)name.len, name.s);
    model_row *m = srv_registry_row(r, name);
    if (m && m->file)
        return nf_fail(err, NF_ECONFLICT, text, "is a file of the command line, not of --models");
    version_row *v = m ? srv_row_version(m, version) : NULL;
    nf_status st = compare_stored(&same, r, v, file, err);
    if (st) return st;
    if (same && v->state == SRV_AVAILABLE) return NF_OK;
    if (!m) m = srv_registry_add_row(r, text);
    const bool is_new = !v;
    if (m && !v) v = srv_row_add_version(r, m, version);
    if (m && !v) drop_if_empty(r, m);
    if (!m || !v) return nf_fail(err, NF_ENOMEM, text, "no memory for another version");
    if (same) {
        v->pinned = true;
        return load_version(r, m, v, err);
    }
    st = store_version(r, m, v, file, err);
    if (st && is_new) {
        srv_row_drop_version(r, m, v);
        drop_if_empty(r, m);
    }
    return st;
}

nf_status srv_registry_delete(srv_registry *r, nf_span name, uint64_t version, nf_error *err)
{
    model_row *m = srv_registry_row(r, name);
    version_row *v = m ? srv_row_version(m, version) : NULL;
    nf_error why = {0};
    if (!m) return unknown(name, err);
    if (!v)
        return nf_fail(err, NF_ENOTFOUND, m->name, "has no version %llu",
                       (unsigned long long)version);
    if (m->file)
        return nf_fail(err, NF_ECONFLICT, m->name,
                       "is a file of the command line, not of --models");
    const nf_status st = srv_store_delete(r->options.models, m->name, version, err);
    if (st) return st;
    v->found = false; /* answers on until the version below it does */
    if (m->held)
        srv_row_drop_version(r, m, v);
    else
        (void)apply(r, m, false, &why); /* has been logged; what was asked for is done */
    drop_if_empty(r, m);
    return NF_OK;
}

/* model_store.c - finds the models under a folder. Layer: server/registry. Thread rule: loader
 * thread. */
#include "server/registry/model_store.h"

#include "engine/base/log.h"
#include "engine/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const extensions[] = {".tflite", ".onnx"}; /* candidates; content decides */
static const char *const beside[] = {"model.json", "labels.txt", "README.md"}; /* known, no model */

static bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_model_file(const char *name)
{
    for (size_t i = 0; i < NF_COUNT(extensions); i++)
        if (name[0] != '.' && ends_in(name, extensions[i])) return true;
    return false;
}

static bool has_stem(const char *name, const char *stem)
{
    const size_t n = strlen(stem);
    return strncmp(name, stem, n) == 0 && name[n] == '.';
}

/* Better candidates have a higher rank; two of rank 1 are one too many. */
static int rank_of(const char *name, const char *mode)
{
    if (has_stem(name, mode)) return 3;
    return has_stem(name, "edge") || has_stem(name, "cloud") ? 2 : 1;
}

/* The model file in `dir` for this mode; false when there is none, or no single one. */
static bool pick_file(char *path, size_t size, const char *dir, const char *mode)
{
    int best = 0, at_best = 0;
    DIR *d = opendir(dir);
    if (!d) return false;
    for (struct dirent *e; (e = readdir(d));) {
        const int rank = is_model_file(e->d_name) ? rank_of(e->d_name, mode) : 0;
        if (rank == 0 || rank < best) continue;
        at_best = rank == best ? at_best + 1 : 1;
        best = rank;
        if (snprintf(path, size, "%s/%s", dir, e->d_name) >= (int)size) at_best = 2;
    }
    closedir(d);
    if (at_best > 1)
        nf_log(NF_LOG_WARN, "registry", "%s: %d model files, expected one, or edge.* and cloud.*",
               dir, at_best);
    return at_best == 1;
}

static void pass_over(nf_log_level level, const char *dir, const char *name, const char *why)
{
    for (size_t i = 0; i < NF_COUNT(beside); i++)
        if (strcmp(name, beside[i]) == 0) return;
    nf_log(level, "registry", "%s/%s: passed over: %s", dir, name, why);
}

static nf_status add_version(srv_found *f, uint64_t number, const char *path, nf_error *err)
{
    if (f->n == SRV_VERSIONS_MOST)
        return nf_fail(err, NF_ETOOLARGE, f->name, "has more than %d versions", SRV_VERSIONS_MOST);
    if ((f->n & (f->n - 1)) == 0) { /* full at every power of two */
        srv_found_version *more =
            nf_realloc(f->versions, (f->n ? f->n * 2 : 1) * sizeof(*more), NF_MEM_REGISTRY);
        if (!more) return nf_fail(err, NF_ENOMEM, f->name, "no memory for its versions");
        f->versions = more;
    }
    srv_found_version *v = &f->versions[f->n++];
    v->number = number;
    snprintf(v->path, sizeof(v->path), "%s", path);
    return NF_OK;
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static nf_status look_at(srv_found *f, const char *dir, const char *name, const char *mode,
                         nf_error *err)
{
    char sub[SRV_PATH_ROOM], path[SRV_PATH_ROOM];
    uint64_t number = 0;
    if (name[0] == '.' || is_model_file(name)) return NF_OK; /* files are looked at together */
    if (snprintf(sub, sizeof(sub), "%s/%s", dir, name) >= (int)sizeof(sub)) return NF_OK;
    if (!srv_version_parse(&number, (nf_span){name, strlen(name)}) || number == 0 ||
        name[0] == '0' || !is_folder(sub))
        pass_over(NF_LOG_DEBUG, dir, name, "not a version folder");
    else if (!pick_file(path, sizeof(path), sub, mode))
        pass_over(NF_LOG_DEBUG, dir, name, "no model file in it");
    else
        return add_version(f, number, path, err);
    return NF_OK;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = ((const srv_found_version *)a)->number;
    const uint64_t y = ((const srv_found_version *)b)->number;
    return x < y ? -1 : x > y;
}

static bool has_version(const srv_found *f, uint64_t number)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->versions[i].number == number) return true;
    return false;
}

nf_status srv_store_look(srv_found *f, const char *root, const char *name, const char *mode,
                         nf_error *err)
{
    char dir[SRV_PATH_ROOM], path[SRV_PATH_ROOM];
    nf_status st = NF_OK;
    *f = (srv_found){0};
    snprintf(f->name, sizeof(f->name), "%s", name);
    if (snprintf(dir, sizeof(dir), "%s/%s", root, name) >= (int)sizeof(dir))
        return nf_fail(err, NF_ETOOLARGE, name, "path is too long");
    DIR *d = opendir(dir);
    if (!d) return nf_fail(err, NF_ENOTFOUND, name, "cannot open its folder: %s", strerror(errno));
    for (struct dirent *e; !st && (e = readdir(d));)
        st = look_at(f, dir, e->d_name, mode, err);
    closedir(d);
    if (!st && !has_version(f, 1) && pick_file(path, sizeof(path), dir, mode))
        st = add_version(f, 1, path, err);
    if (f->n) qsort(f->versions, f->n, sizeof(f->versions[0]), by_number);
    if (st) srv_found_fini(f);
    return st;
}

void srv_found_fini(srv_found *f)
{
    nf_free(f->versions);
    f->versions = NULL;
    f->n = 0;
}

nf_status srv_store_each(const char *root, nf_status (*each)(void *arg, const char *name),
                         void *arg, nf_error *err)
{
    nf_status st = NF_OK;
    DIR *d = opendir(root);
    if (!d)
        return nf_fail(err, NF_ENOTFOUND, root, "cannot open the models folder: %s",
                       strerror(errno));
    for (struct dirent *e; !st && (e = readdir(d));) {
        char sub[SRV_PATH_ROOM];
        if (e->d_name[0] == '.' ||
            snprintf(sub, sizeof(sub), "%s/%s", root, e->d_name) >= (int)sizeof(sub))
            continue;
        if (!is_folder(sub))
            pass_over(NF_LOG_INFO, root, e->d_name, "not a folder");
        else if (!srv_name_ok((nf_span){e->d_name, strlen(e->d_name)}))
            pass_over(NF_LOG_INFO, root, e->d_name,
                      "a model's name is 1 to 64 of A-Z a-z 0-9 . _ -");
        else
            st = each(arg, e->d_name);
    }
    closedir(d);
    return st;
}

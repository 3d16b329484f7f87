/* case_walk.c - finds the folders with cases below a path. Layer: server/case. Thread rule: no
 * shared state. */
#include "server/case/case_check.h"

#include "engine/base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 8
#define MAX_NAMES 100000

typedef struct names {
    char **list; /* owned, sorted */
    size_t n;
} names;

typedef struct walk {
    void (*visit)(const char *dir, void *user);
    void *user;
    size_t found;
    nf_error *err;
} walk;

static void free_names(names *l)
{
    for (size_t i = 0; i < l->n; i++)
        nf_free(l->list[i]);
    nf_free(l->list);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static nf_status add_name(names *l, const char *name, nf_error *err)
{
    if (l->n >= MAX_NAMES) return nf_fail(err, NF_ETOOLARGE, name, "over %d entries", MAX_NAMES);
    if ((l->n & (l->n - 1)) == 0) {
        char **bigger = nf_realloc(l->list, (l->n ? 2 * l->n : 1) * sizeof(*bigger), NF_MEM_MISC);
        if (!bigger) return nf_fail(err, NF_ENOMEM, name, "no memory");
        l->list = bigger;
    }
    l->list[l->n] = nf_strdup(name, strlen(name), NF_MEM_MISC);
    if (!l->list[l->n]) return nf_fail(err, NF_ENOMEM, name, "no memory");
    l->n++;
    return NF_OK;
}

static nf_status list_names(names *l, const char *dir, nf_error *err)
{
    nf_status st = NF_OK;
    DIR *d = opendir(dir);
    *l = (names){0};
    if (!d) return nf_fail(err, NF_EIO, dir, "cannot list the folder");
    for (const struct dirent *e; !st && (e = readdir(d));)
        if (e->d_name[0] != '.') st = add_name(l, e->d_name, err);
    closedir(d);
    if (l->n) qsort(l->list, l->n, sizeof(*l->list), by_name);
    return st;
}

static nf_status walk_in(walk *w, const char *dir, int depth)
{
    names l;
    nf_status st;
    if (srv_case_here(dir)) {
        w->found++;
        w->visit(dir, w->user);
        return NF_OK;
    }
    if (depth == MAX_DEPTH) return NF_OK;
    st = list_names(&l, dir, w->err);
    for (size_t i = 0; i < l.n && !st; i++) {
        char *path = NULL;
        struct stat s;
        st = srv_case_path(&path, dir, l.list[i], w->err);
        if (!st && lstat(path, &s) == 0 && S_ISDIR(s.st_mode)) st = walk_in(w, path, depth + 1);
        nf_free(path);
    }
    free_names(&l);
    return st;
}

nf_status srv_case_walk(const char *path, void (*visit)(const char *dir, void *user), void *user,
                        nf_error *err)
{
    walk w = {.visit = visit, .user = user, .err = err};
    struct stat s;
    nf_status st;
    if (stat(path, &s) != 0) return nf_fail(err, NF_ENOTFOUND, path, "no such folder");
    if (!S_ISDIR(s.st_mode)) return nf_fail(err, NF_ENOTFOUND, path, "expected a folder");
    st = walk_in(&w, path, 0);
    if (!st && w.found == 0)
        return nf_fail(err, NF_ENOTFOUND, path,
                       "expected a case.json, or a model.onnx with test_data_set_0, here or below");
    return st;
}

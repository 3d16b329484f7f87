/* store_write.c - adds and removes versions on disk. Layer: server/registry. Thread rule: loader
 * thread. */
#include "server/registry/model_store.h"

#include "engine/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static nf_status read_only(const char *root, nf_error *err)
{
    return nf_fail(err, NF_EREADONLY, "--models",
                   "'%s' cannot be written: start the server with a writable --models folder (in a "
                   "container: a volume mounted without :ro)",
                   root);
}

static nf_status from_errno(const char *root, const char *path, const char *what, nf_error *err)
{
    if (errno == EROFS || errno == EACCES || errno == EPERM) return read_only(root, err);
    return nf_fail(err, NF_EIO, path, "cannot %s: %s", what, strerror(errno));
}

static nf_status make_folder(const char *root, const char *path, nf_error *err)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST) return NF_OK;
    return from_errno(root, path, "create the folder", err);
}

/* A rename is on disk only when the folder that holds the name is. */
static void flush_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

/* A link is removed itself, never what it leads to. */
static void remove_folder(const char *path)
{
    char sub[SRV_PATH_ROOM + 256];
    if (unlink(path) == 0 || errno != EISDIR) return;
    DIR *d = opendir(path);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) < (int)sizeof(sub))
            remove_folder(sub);
    }
    closedir(d);
    (void)rmdir(path);
}

nf_status srv_store_put(char *path, size_t size, const char *root, const srv_model *m,
                        nf_bytes file, nf_error *err)
{
    char dir[SRV_PATH_ROOM], part[SRV_PATH_ROOM + 64], whole[SRV_PATH_ROOM + 64];
    nf_status st;
    if (snprintf(dir, sizeof(dir), "%s/%s", root, m->name) >= (int)sizeof(dir))
        return nf_fail(err, NF_ETOOLARGE, m->name, "path is too long");
    snprintf(whole, sizeof(whole), "%s/%s", dir, m->version_text);
    snprintf(part, sizeof(part), "%s/.part-%s", dir, m->version_text);
    if ((st = make_folder(root, dir, err))) return st;
    remove_folder(part); /* what a crash may have left */
    if ((st = make_folder(root, part, err))) return st;
    if (snprintf(path, size, "%s/model.%s", part, m->info->format) >= (int)size)
        st = nf_fail(err, NF_ETOOLARGE, m->name, "path is too long");
    else
        st = nf_write_file(path, file, err);
    if (!st && rename(part, whole))
        st = errno == ENOTEMPTY || errno == EEXIST
                 ? nf_fail(err, NF_ECONFLICT, whole, "the version folder is there already")
                 : from_errno(root, whole, "rename the version folder", err);
    if (st) {
        remove_folder(part);
        (void)rmdir(dir); /* only when this upload made it: else it is not empty */
        return st;
    }
    flush_folder(dir);
    snprintf(path, size, "%s/model.%s", whole, m->info->format);
    return NF_OK;
}

nf_status srv_store_delete(const char *root, const char *name, uint64_t version, nf_error *err)
{
    char whole[SRV_PATH_ROOM], gone[SRV_PATH_ROOM];
    const unsigned long long v = version;
    if (snprintf(whole, sizeof(whole), "%s/%s/%llu", root, name, v) >= (int)sizeof(whole) ||
        snprintf(gone, sizeof(gone), "%s/%s/.gone-%llu", root, name, v) >= (int)sizeof(gone))
        return nf_fail(err, NF_ETOOLARGE, name, "path is too long");
    remove_folder(gone);
    if (rename(whole, gone)) { /* first out of sight in one step, then piece by piece */
        if (errno == ENOENT)
            return nf_fail(err, NF_ENOTFOUND, name, "has no folder for version %llu", v);
        return from_errno(root, whole, "remove the version folder", err);
    }
    remove_folder(gone);
    snprintf(whole, sizeof(whole), "%s/%s", root, name);
    flush_folder(whole);
    (void)rmdir(whole); /* only when nothing else is in it */
    return NF_OK;
}

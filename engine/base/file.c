/* file.c - reads and writes whole files. Layer: base. Thread rule: any thread. */
#include "engine/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static nf_status read_all(char *buf, int fd, size_t len, const char *path, nf_error *err)
{
    for (size_t at = 0; at < len;) {
        const ssize_t got = read(fd, buf + at, len - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return nf_fail(err, NF_EIO, path, "cannot read: %s", strerror(errno));
        if (got == 0) return nf_fail(err, NF_EIO, path, "became shorter while it was read");
        at += (size_t)got;
    }
    return NF_OK;
}

/* Reads an open file; closes it in any case. */
static nf_status read_open(nf_bytes *out, int fd, const char *path, size_t most, nf_mem_tag tag,
                           nf_error *err)
{
    char *buf = NULL;
    struct stat s;
    nf_status st = NF_OK;
    if (fstat(fd, &s) || !S_ISREG(s.st_mode)) {
        st = nf_fail(err, NF_EIO, path, "is not a regular file");
        goto done;
    }
    if ((uintmax_t)s.st_size > most) {
        st = nf_fail(err, NF_ETOOLARGE, path, "has %jd bytes, the limit is %zu",
                     (intmax_t)s.st_size, most);
        goto done;
    }
    buf = nf_alloc((size_t)s.st_size + 1, tag);
    if (!buf) {
        st = nf_fail(err, NF_ENOMEM, path, "no memory for %jd bytes", (intmax_t)s.st_size);
        goto done;
    }
    if ((st = read_all(buf, fd, (size_t)s.st_size, path, err))) goto done;
    *out = (nf_bytes){(const uint8_t *)buf, (size_t)s.st_size};
    buf = NULL;
done:
    nf_free(buf);
    close(fd);
    return st;
}

static nf_status cannot_open(const char *path, nf_error *err)
{
    const nf_status st = errno == ENOENT || errno == ENOTDIR ? NF_ENOTFOUND : NF_EIO;
    return nf_note(err, st, path, "cannot open: %s", strerror(errno)), st;
}

nf_status nf_read_file(nf_bytes *out, const char *path, size_t most, nf_mem_tag tag, nf_error *err)
{
    *out = (nf_bytes){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? cannot_open(path, err) : read_open(out, fd, path, most, tag, err);
}

/* One name after the other, none of them a link or "..": where the kernel has no openat2. */
static int open_by_parts(int folder, char *name)
{
    int at = dup(folder);
    for (char *part = name, *next; at >= 0 && part; part = next) {
        next = strchr(part, '/');
        if (next) *next++ = '\0';
        if (strcmp(part, "..") == 0) {
            close(at);
            errno = EXDEV;
            return -1;
        }
        const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (next ? O_DIRECTORY : 0);
        const int inner = openat(at, *part ? part : ".", flags);
        const int why = errno;
        close(at);
        errno = why;
        at = inner;
    }
    return at;
}

static int open_beneath(int folder, const char *name)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const long fd = syscall(SYS_openat2, folder, name, &how, sizeof(how));
    if (fd >= 0 || errno != ENOSYS) return (int)fd;
    char *copy = nf_strdup(name, strlen(name), NF_MEM_MISC);
    if (!copy) {
        errno = ENOMEM;
        return -1;
    }
    const int found = open_by_parts(folder, copy);
    const int why = errno;
    nf_free(copy);
    errno = why;
    return found;
}

void nf_folder_of(char out[NF_PATH_ROOM], const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;
    out[0] = '\0';
    if (len >= NF_PATH_ROOM) return;
    memcpy(out, slash ? path : ".", len);
    out[len] = '\0';
}

nf_status nf_read_beneath(nf_bytes *out, const char *folder, const char *name, size_t most,
                          nf_mem_tag tag, nf_error *err)
{
    *out = (nf_bytes){0};
    if (name[0] == '/' || name[0] == '\0')
        return nf_fail(err, NF_EFORMAT, name, "expected a path beneath the model's folder");
    const int at = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (at < 0) return cannot_open(folder, err);
    const int fd = open_beneath(at, name);
    const int why = errno;
    close(at);
    errno = why;
    if (fd < 0 && (errno == EXDEV || errno == ELOOP))
        return nf_fail(err, NF_EFORMAT, name, "leads out of the model's folder");
    return fd < 0 ? cannot_open(name, err) : read_open(out, fd, name, most, tag, err);
}

static nf_status write_all(int fd, nf_bytes b, const char *path, nf_error *err)
{
    for (size_t at = 0; at < b.len;) {
        const ssize_t put = write(fd, b.data + at, b.len - at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return nf_fail(err, NF_EIO, path, "cannot write: %s", strerror(errno));
        at += (size_t)put;
    }
    if (fsync(fd)) return nf_fail(err, NF_EIO, path, "cannot flush: %s", strerror(errno));
    return NF_OK;
}

nf_status nf_write_file(const char *path, nf_bytes content, nf_error *err)
{
    char tmp[4096];
    nf_status st;
    if (snprintf(tmp, sizeof(tmp), "%s.part", path) >= (int)sizeof(tmp))
        return nf_fail(err, NF_ETOOLARGE, path, "path is too long");
    const int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        st = errno == EROFS || errno == EACCES ? NF_EREADONLY : NF_EIO;
        return nf_note(err, st, path, "cannot create: %s", strerror(errno)), st;
    }
    st = write_all(fd, content, path, err);
    if (close(fd) && !st) st = nf_fail(err, NF_EIO, path, "cannot close: %s", strerror(errno));
    if (!st && rename(tmp, path))
        st = nf_fail(err, NF_EIO, path, "cannot rename: %s", strerror(errno));
    if (st) unlink(tmp);
    return st;
}

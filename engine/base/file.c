/* file.c - reads and writes whole files. Layer: base. Thread rule: any thread. */
#include "engine/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
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

nf_status nf_read_file(nf_bytes *out, const char *path, size_t most, nf_mem_tag tag, nf_error *err)
{
    char *buf = NULL;
    struct stat s;
    nf_status st = NF_OK;
    *out = (nf_bytes){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        st = errno == ENOENT || errno == ENOTDIR ? NF_ENOTFOUND : NF_EIO;
        return nf_note(err, st, path, "cannot open: %s", strerror(errno)), st;
    }
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

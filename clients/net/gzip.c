/* gzip.c - gzip on zlib. Layer: clients/net. Thread rule: no shared state. */
#include "clients/net/gzip.h"

#include "engine/base/mem.h"

#include <zlib.h>

#define GZIP_BITS  (15 + 16) /* largest window, gzip framing (zlib.h, deflateInit2) */
#define INPUT_MOST (1u << 30)
#define FIRST_ROOM 4096

nf_status cl_gzip(char **out, size_t *out_len, nf_bytes in, nf_error *err)
{
    z_stream z = {0};
    nf_status st = NF_OK;
    *out = NULL;
    *out_len = 0;
    if (in.len > INPUT_MOST) return nf_fail(err, NF_ETOOLARGE, "gzip", "%zu bytes", in.len);
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY))
        return nf_fail(err, NF_ENOMEM, "gzip", "no memory");
    const size_t room = deflateBound(&z, (uLong)in.len);
    char *packed = nf_alloc(room, NF_MEM_CLIENT);
    if (!packed) {
        st = nf_fail(err, NF_ENOMEM, "gzip", "no memory for %zu bytes", room);
        goto done;
    }
    z.next_in = (Bytef *)(uintptr_t)in.data;
    z.avail_in = (uInt)in.len;
    z.next_out = (Bytef *)packed;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        st = nf_fail(err, NF_EIO, "gzip", "could not pack %zu bytes", in.len);
        goto done;
    }
    *out = packed;
    *out_len = room - z.avail_out;
    packed = NULL;
done:
    nf_free(packed);
    deflateEnd(&z);
    return st;
}

/* Doubles the room, up to most bytes and the NUL behind them. */
static nf_status grow(char **b, size_t *cap, size_t most, nf_error *err)
{
    const size_t want = *cap ? *cap * 2 : FIRST_ROOM;
    const size_t next = want < most + 1 ? want : most + 1;
    if (*cap > most) return nf_fail(err, NF_ETOOLARGE, "gzip", "over %zu bytes unpacked", most);
    char *more = nf_realloc(*b, next, NF_MEM_CLIENT);
    if (!more) return nf_fail(err, NF_ENOMEM, "gzip", "no memory for %zu bytes", next);
    *b = more;
    *cap = next;
    return NF_OK;
}

nf_status cl_gunzip(char **out, size_t *out_len, nf_bytes in, size_t most, nf_error *err)
{
    z_stream z = {0};
    nf_status st = NF_OK;
    char *b = NULL;
    size_t cap = 0, len = 0;
    int code = Z_OK;
    *out = NULL;
    *out_len = 0;
    if (in.len > INPUT_MOST || most > INPUT_MOST)
        return nf_fail(err, NF_ETOOLARGE, "gzip", "%zu bytes", in.len);
    if (inflateInit2(&z, GZIP_BITS)) return nf_fail(err, NF_ENOMEM, "gzip", "no memory");
    z.next_in = (Bytef *)(uintptr_t)in.data;
    z.avail_in = (uInt)in.len;
    while (code == Z_OK) {
        if (len + 1 >= cap && (st = grow(&b, &cap, most, err))) break;
        z.next_out = (Bytef *)b + len;
        z.avail_out = (uInt)(cap - 1 - len);
        code = inflate(&z, Z_NO_FLUSH);
        len = cap - 1 - z.avail_out;
    }
    if (!st && code != Z_STREAM_END)
        st = nf_fail(err, NF_EINVAL, "gzip", "the packed bytes are damaged or cut");
    inflateEnd(&z);
    if (st) {
        nf_free(b);
        return st;
    }
    b[len] = '\0';
    *out = b;
    *out_len = len;
    return NF_OK;
}

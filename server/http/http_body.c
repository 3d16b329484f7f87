/* http_body.c - collects a request's body, within its limit, decompressed. Layer: server/http.
 * Thread rule: the loop's thread. */
#include "server/http/http_inside.h"

#include "engine/base/mem.h"

#include <stdlib.h>

#define RATIO_MOST  100   /* decompressed bytes for one compressed byte */
#define RATIO_FREE  65536 /* small bodies may have any ratio */
#define STEP        16384 /* decompressed at a time */
#define KEEP        4096  /* bytes of body memory an idle connection keeps */
#define WINDOW_GZIP (15 + 16)

static uint64_t limit_of(const http_conn *c)
{
    const srv_live *live = c->loop->http->options.live;
    switch (c->route->body) {
    case SRV_BODY_NONE:
        return 0;
    case SRV_BODY_SMALL:
        return SRV_SMALL_BODY;
    case SRV_BODY_DATA:
        return (uint64_t)srv_live_get(&live->max_body);
    case SRV_BODY_MODEL:
        return (uint64_t)srv_live_get(&live->max_model_bytes);
    }
    return 0;
}

static nf_status too_large(const http_conn *c, nf_error *err)
{
    const unsigned long long most = limit_of(c);
    if (most == 0) return nf_fail(err, NF_ETOOLARGE, "request body", "expected none for this path");
    return nf_fail(err, NF_ETOOLARGE, "request body", "is larger than the limit of %llu bytes",
                   most);
}

static void *zlib_alloc(void *opaque, uInt n, uInt size)
{
    (void)opaque;
    return nf_alloc_array(n, size, NF_MEM_REQUEST);
}

static void zlib_free(void *opaque, void *p)
{
    (void)opaque;
    nf_free(p);
}

static nf_status begin_inflate(http_conn *c, nf_error *err)
{
    z_stream *z = nf_alloc(sizeof(*z), NF_MEM_REQUEST);
    if (!z) return nf_fail(err, NF_ENOMEM, "Content-Encoding", "no memory to decompress");
    z->zalloc = zlib_alloc;
    z->zfree = zlib_free;
    if (inflateInit2(z, c->coding == CODING_GZIP ? WINDOW_GZIP : 15) != Z_OK) {
        nf_free(z);
        return nf_fail(err, NF_ENOMEM, "Content-Encoding", "no memory to decompress");
    }
    c->inflate = z;
    return NF_OK;
}

nf_status http_body_begin(http_conn *c, nf_error *err)
{
    const char *length = MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Content-Length");
    const uint64_t most = limit_of(c);
    c->raw_bytes = 0;
    c->body.most = most + 1; /* and a NUL behind it */
    if (length && strtoull(length, NULL, 10) > most) return too_large(c, err);
    if (most == 0 && MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Transfer-Encoding"))
        return too_large(c, err);
    return c->coding == CODING_IDENTITY ? NF_OK : begin_inflate(c, err);
}

static nf_status inflate_step(http_conn *c, int *state, nf_error *err)
{
    z_stream *z = c->inflate;
    const size_t left = c->body.most - c->body.len;
    const size_t step = left < STEP ? left : STEP;
    char *room = step ? srv_buf_room(&c->body, step) : NULL;
    if (!room) return too_large(c, err);
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)step;
    *state = inflate(z, Z_NO_FLUSH);
    c->body.len += step - z->avail_out;
    if (*state != Z_OK && *state != Z_STREAM_END && *state != Z_BUF_ERROR)
        return nf_fail(err, NF_EINVAL, "request body", "is not valid %s data",
                       c->coding == CODING_GZIP ? "gzip" : "deflate");
    if (c->body.len > RATIO_FREE && c->body.len / RATIO_MOST > c->raw_bytes)
        return nf_fail(err, NF_ETOOLARGE, "request body", "expands by more than a factor of %d",
                       RATIO_MOST);
    return NF_OK;
}

static nf_status add_compressed(http_conn *c, const char *data, size_t len, nf_error *err)
{
    int state = Z_OK;
    c->inflate->next_in = (Bytef *)data;
    c->inflate->avail_in = (uInt)len; /* the library's buffers are far below 4 GiB */
    do {
        const nf_status st = inflate_step(c, &state, err);
        if (st) return st;
    } while (state == Z_OK && (c->inflate->avail_in || c->inflate->avail_out == 0));
    if (c->inflate->avail_in)
        return nf_fail(err, NF_EINVAL, "request body", "has bytes behind the compressed data");
    return NF_OK;
}

nf_status http_body_add(http_conn *c, const char *data, size_t len, nf_error *err)
{
    c->raw_bytes += len;
    if (c->inflate) return add_compressed(c, data, len, err);
    if (len >= c->body.most - c->body.len) return too_large(c, err);
    srv_buf_add(&c->body, data, len);
    if (c->body.failed) return nf_fail(err, NF_ENOMEM, "request body", "no memory for it");
    return NF_OK;
}

nf_status http_body_end(http_conn *c, nf_error *err)
{
    /* An empty step, without room to write: behind the last byte it says so again. */
    if (c->inflate) c->inflate->avail_out = 0;
    if (c->inflate && inflate(c->inflate, Z_FINISH) != Z_STREAM_END)
        return nf_fail(err, NF_EINVAL, "request body", "the compressed data is cut off");
    if (c->inflate && c->body.len == c->body.most) return too_large(c, err);
    if (!srv_buf_room(&c->body, 1))
        return nf_fail(err, NF_ENOMEM, "request body", "no memory for it");
    c->body.data[c->body.len] = '\0';
    c->req.body = (nf_bytes){(const uint8_t *)c->body.data, c->body.len};
    return NF_OK;
}

void http_body_reset(http_conn *c)
{
    if (c->inflate) {
        inflateEnd(c->inflate);
        nf_free(c->inflate);
        c->inflate = NULL;
    }
    srv_buf_reset(&c->body, KEEP);
    c->req.body = (nf_bytes){0};
}

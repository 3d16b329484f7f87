/* fmt_onnx_outside.c - constants whose content lies in a file of its own. Layer: format.
 * Thread rule: one owner. Source: TensorProto.external_data: location, offset and length as texts.
 */
#include "engine/format/fmt_onnx.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/format/missing.h"

#define FILE_MOST ((size_t)1 << 31)
#define PATH_MOST 512

typedef struct place {
    nf_span location;
    uint64_t offset, length;
    bool has_length;
} place;

static bool read_number(uint64_t *out, nf_span text)
{
    *out = 0;
    if (text.len == 0 || text.len > 18) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.s[i] < '0' || text.s[i] > '9') return false;
        *out = *out * 10 + (uint64_t)(text.s[i] - '0');
    }
    return true;
}

static nf_status read_entry(place *to, fmt_onnx_ctx *o, nf_bytes entry)
{
    fmt_pb p = fmt_pb_open(entry);
    fmt_field f;
    nf_span key = {"", 0}, value = {"", 0};
    bool good = true;
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 1, FMT_LENGTH)) key = fmt_pb_text(&f);
        if (fmt_pb_is(&f, 2, FMT_LENGTH)) value = fmt_pb_text(&f);
    }
    if (nf_span_is(key, "location")) to->location = value;
    if (nf_span_is(key, "offset")) good = read_number(&to->offset, value);
    if (nf_span_is(key, "length")) {
        good = read_number(&to->length, value);
        to->has_length = true;
    }
    if (!good) return nf_fail(o->err, NF_EFORMAT, o->where, "external data at no number");
    return fmt_onnx_broken(o, &p);
}

static nf_status read_place(place *to, fmt_onnx_ctx *o, nf_bytes proto)
{
    fmt_pb p = fmt_pb_open(proto);
    fmt_field f;
    nf_status st;
    *to = (place){.location = {"", 0}};
    while (fmt_pb_next(&f, &p))
        if (fmt_pb_is(&f, 13, FMT_LENGTH) && (st = read_entry(to, o, f.bytes))) return st;
    const nf_span l = to->location;
    if (l.len == 0 || l.len >= PATH_MOST || memchr(l.s, '\0', l.len))
        return nf_fail(o->err, NF_EFORMAT, o->where, "external data in a file without a name");
    return fmt_onnx_broken(o, &p);
}

static bool is_same(nf_bytes a, nf_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The file, read when it is first asked for; its constants may be copied as those of the model. */
static nf_status find_file(nf_bytes *out, fmt_onnx_ctx *o, nf_span name)
{
    fmt_onnx_ctx *top = o;
    char path[PATH_MOST];
    nf_status st;
    while (top->parent)
        top = top->parent;
    for (size_t i = 0; i < top->n_files; i++)
        if (top->files[i].name.len == name.len &&
            memcmp(top->files[i].name.s, name.s, name.len) == 0) {
            *out = top->files[i].content;
            return NF_OK;
        }
    if (!top->g->folder)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "external data, which only a model in a folder may have");
    if (top->n_files == FMT_ONNX_FILES)
        return nf_fail(o->err, NF_ETOOLARGE, o->where, "external data in over %d files",
                       FMT_ONNX_FILES);
    memcpy(path, name.s, name.len);
    path[name.len] = '\0';
    if ((st = nf_read_beneath(out, top->g->folder, path, FILE_MOST, NF_MEM_GRAPH, o->err)))
        return st;
    top->files[top->n_files++] = (fmt_onnx_file){name, *out};
    o->left = out->len < (SIZE_MAX - o->left) / 8 ? o->left + out->len * 8 : SIZE_MAX;
    if (is_same(*out, top->file))
        return nf_fail(o->err, NF_EFORMAT, o->where, "external data in the model file itself");
    return NF_OK;
}

nf_status fmt_onnx_outside(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_const *c, size_t bytes)
{
    nf_bytes file;
    place at;
    nf_status st;
    if ((st = read_place(&at, o, c->proto)) || (st = find_file(&file, o, at.location))) return st;
    const bool fits = (!at.has_length || at.length == bytes) && at.offset <= SIZE_MAX &&
                      nf_bytes_sub(out, file, (size_t)at.offset, bytes);
    if (fits) return NF_OK;
    return nf_fail(o->err, NF_EFORMAT, o->where,
                   "external data of %zu bytes at %llu does not lie in a file of %zu", bytes,
                   (unsigned long long)at.offset, file.len);
}

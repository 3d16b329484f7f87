/* flatbuf.c - bounds-checked reading of FlatBuffers. Layer: format. Thread rule: one owner.
 * Source: the FlatBuffers internals page. A table begins with the signed distance back to its
 * vtable; the vtable holds its own size, the table's size, and a 16-bit offset for each slot. */
#include "engine/format/flatbuf.h"

static uint64_t load(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static bool fail(fmt_fb *f, const char *what, size_t at)
{
    if (!f->bad) {
        f->bad = what;
        f->bad_at = at;
    }
    return false;
}

/* Little-endian number of n bytes at `at`. */
static bool get(uint64_t *out, fmt_fb *f, size_t at, size_t n)
{
    nf_bytes b;
    *out = 0;
    if (!nf_bytes_sub(&b, f->file, at, n)) return fail(f, "an offset leads out of the file", at);
    *out = load(b.data, n);
    return true;
}

/* Follows the 32-bit offset at `at`, which counts from its own place and never is 0. */
static bool follow(size_t *out, fmt_fb *f, size_t at)
{
    uint64_t off;
    if (!get(&off, f, at, 4)) return false;
    if (off == 0 || off > f->file.len - at) return fail(f, "an offset leads out of the file", at);
    *out = at + (size_t)off;
    return true;
}

static fmt_table open_table(fmt_fb *f, size_t at)
{
    const fmt_table none = {0};
    uint64_t back, vtable_bytes, bytes;
    if (!get(&back, f, at, 4)) return none;
    const int64_t vtable = (int64_t)at - (int32_t)(uint32_t)back;
    if (vtable < 0) return fail(f, "a vtable lies before the file", at), none;
    if (!get(&vtable_bytes, f, (size_t)vtable, 2)) return none;
    if (!get(&bytes, f, (size_t)vtable + 2, 2)) return none;
    if (vtable_bytes < 4 || vtable_bytes % 2 || vtable_bytes > f->file.len - (size_t)vtable)
        return fail(f, "a vtable has a wrong size", (size_t)vtable), none;
    if (bytes < 4 || bytes > f->file.len - at)
        return fail(f, "a table does not lie in the file", at), none;
    return (fmt_table){at, (size_t)vtable, (uint16_t)bytes, (uint16_t)vtable_bytes};
}

fmt_table fmt_fb_root(fmt_fb *f)
{
    size_t at;
    return follow(&at, f, 0) ? open_table(f, at) : (fmt_table){0};
}

/* Place of a slot's n bytes; false when the table does not have it. */
static bool find(size_t *at, fmt_fb *f, fmt_table t, unsigned slot, size_t n)
{
    uint64_t off;
    const size_t entry = 4 + (size_t)slot * 2;
    if (t.at == 0 || f->bad || entry + 2 > t.vtable_bytes) return false;
    if (!get(&off, f, t.vtable + entry, 2) || off == 0) return false;
    if (off < 4 || off + n > t.bytes) return fail(f, "a field lies outside of its table", t.at);
    *at = t.at + (size_t)off;
    return true;
}

static uint64_t scalar(fmt_fb *f, fmt_table t, unsigned slot, size_t n, uint64_t absent)
{
    size_t at;
    return find(&at, f, t, slot, n) ? load(f->file.data + at, n) : absent;
}

uint8_t fmt_fb_u8(fmt_fb *f, fmt_table t, unsigned slot, uint8_t absent)
{
    return (uint8_t)scalar(f, t, slot, 1, absent);
}

int32_t fmt_fb_i32(fmt_fb *f, fmt_table t, unsigned slot, int32_t absent)
{
    return (int32_t)(uint32_t)scalar(f, t, slot, 4, (uint32_t)absent);
}

uint64_t fmt_fb_u64(fmt_fb *f, fmt_table t, unsigned slot, uint64_t absent)
{
    return scalar(f, t, slot, 8, absent);
}

static float as_float(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof(v));
    return v;
}

float fmt_fb_f32(fmt_fb *f, fmt_table t, unsigned slot, float absent)
{
    size_t at;
    return find(&at, f, t, slot, 4) ? as_float(load(f->file.data + at, 4)) : absent;
}

fmt_table fmt_fb_sub(fmt_fb *f, fmt_table t, unsigned slot)
{
    size_t at, to;
    if (!find(&at, f, t, slot, 4) || !follow(&to, f, at)) return (fmt_table){0};
    return open_table(f, to);
}

fmt_vector fmt_fb_vector(fmt_fb *f, fmt_table t, unsigned slot, size_t size)
{
    const fmt_vector none = {0};
    size_t at, to, bytes;
    uint64_t n;
    nf_bytes items;
    if (!find(&at, f, t, slot, 4) || !follow(&to, f, at) || !get(&n, f, to, 4)) return none;
    if (!nf_mul_size(&bytes, (size_t)n, size) || !nf_bytes_sub(&items, f->file, to + 4, bytes))
        return fail(f, "a vector is longer than the file", to), none;
    return (fmt_vector){items.data, (size_t)n};
}

nf_span fmt_fb_text(fmt_fb *f, fmt_table t, unsigned slot)
{
    const fmt_vector v = fmt_fb_vector(f, t, slot, 1);
    return v.items ? (nf_span){(const char *)v.items, v.n} : (nf_span){"", 0};
}

fmt_table fmt_fb_item(fmt_fb *f, fmt_vector tables, size_t i)
{
    size_t to;
    if (f->bad || i >= tables.n) return (fmt_table){0};
    const size_t at = (size_t)(tables.items - f->file.data) + i * 4;
    return follow(&to, f, at) ? open_table(f, to) : (fmt_table){0};
}

int32_t fmt_vec_i32(fmt_vector v, size_t i)
{
    return (int32_t)(uint32_t)load(v.items + i * 4, 4);
}

int64_t fmt_vec_i64(fmt_vector v, size_t i)
{
    return (int64_t)load(v.items + i * 8, 8);
}

float fmt_vec_f32(fmt_vector v, size_t i)
{
    return as_float(load(v.items + i * 4, 4));
}

/* flexbuf.c - bounds-checked reading of a FlexBuffer. Layer: format. Thread rule: one owner.
 * Source: the FlexBuffers part of the FlatBuffers internals page. The last byte is the width of the
 * root, its type stands before it; a type is 6 bits of kind and 2 of width. Offsets point back. A
 * map is: offset to its keys, width of their entries, count, values, types. */
#include "engine/format/flexbuf.h"

enum { INT = 1, UINT = 2, FLOAT = 3, INDIRECT = 5, MAP = 9, BOOL = 26 }; /* INDIRECT + INT = 6 .. */

#define MOST_ENTRIES 256

static bool get(uint64_t *out, fmt_flex *f, size_t at, size_t width)
{
    nf_bytes b;
    *out = 0;
    if (f->bad || !nf_bytes_sub(&b, f->file, at, width)) return !(f->bad = true);
    for (size_t i = 0; i < width; i++)
        *out |= (uint64_t)b.data[i] << (8 * i);
    return true;
}

/* The place that the offset at `at` leads to. */
static bool back(size_t *to, fmt_flex *f, size_t at, size_t width)
{
    uint64_t off;
    if (!get(&off, f, at, width)) return false;
    if (off > at) return !(f->bad = true);
    *to = at - (size_t)off;
    return true;
}

static void open_map(fmt_flex *f, size_t map)
{
    const size_t w = f->width;
    uint64_t n, key_width;
    if (map < 3 * w) {
        f->bad = true;
        return;
    }
    if (!back(&f->keys, f, map - 3 * w, w) || !get(&key_width, f, map - 2 * w, w) ||
        !get(&n, f, map - w, w))
        return;
    const bool power = key_width == 1 || key_width == 2 || key_width == 4 || key_width == 8;
    f->bad = !power || n > MOST_ENTRIES;
    f->at = map;
    f->n = f->bad ? 0 : (size_t)n;
    f->key_width = (size_t)key_width;
}

fmt_flex fmt_flex_open(nf_bytes file)
{
    fmt_flex f = {.file = file, .bad = file.len < 3};
    if (f.bad) return f;
    const size_t root = file.data[file.len - 1];
    const uint8_t type = file.data[file.len - 2];
    size_t map;
    f.bad = root > 8 || root == 0 || root + 2 > file.len || type >> 2 != MAP;
    f.width = (size_t)1 << (type & 3);
    if (!f.bad && back(&map, &f, file.len - 2 - root, root)) open_map(&f, map);
    return f;
}

static bool key_is(fmt_flex *f, size_t i, const char *key)
{
    const size_t len = strlen(key) + 1; /* with its NUL */
    size_t at;
    nf_bytes b;
    if (!back(&at, f, f->keys + i * f->key_width, f->key_width)) return false;
    return nf_bytes_sub(&b, f->file, at, len) && memcmp(b.data, key, len) == 0;
}

static double as_float(fmt_flex *f, uint64_t bits, size_t width)
{
    const uint32_t low = (uint32_t)bits;
    float narrow;
    double wide;
    memcpy(&narrow, &low, sizeof(narrow));
    memcpy(&wide, &bits, sizeof(wide));
    f->bad = f->bad || width < 4;
    return width == 4 ? (double)narrow : wide;
}

static double number(fmt_flex *f, size_t i)
{
    size_t at = f->at + i * f->width, width = f->width;
    uint64_t type, bits;
    if (!get(&type, f, f->at + f->n * f->width + i, 1)) return 0;
    uint64_t kind = type >> 2;
    if (kind > INDIRECT && kind <= INDIRECT + FLOAT) {
        if (!back(&at, f, at, width)) return 0;
        width = (size_t)1 << (type & 3);
        kind -= INDIRECT;
    }
    if (!get(&bits, f, at, width)) return 0;
    if (kind == FLOAT) return as_float(f, bits, width);
    const uint64_t sign = (uint64_t)1 << (8 * width - 1);
    if (kind == INT) return (double)(int64_t)((bits ^ sign) - sign);
    if (kind != UINT && kind != BOOL) f->bad = true;
    return (double)bits;
}

double fmt_flex_number(fmt_flex *f, const char *key, double absent)
{
    for (size_t i = 0; i < f->n && !f->bad; i++)
        if (key_is(f, i, key)) {
            const double v = number(f, i);
            return f->bad ? absent : v;
        }
    return absent;
}

/* flatbuf.h - bounds-checked reading of FlatBuffers. Layer: format. Thread rule: one owner.
 *
 * Errors stick: after the first offset that leads out of the file, `bad` says what it was and every
 * later read gives its default. The caller looks at `bad` when it has read a record. */
#ifndef FMT_FLATBUF_H
#define FMT_FLATBUF_H

#include "engine/base/bytes.h"

typedef struct fmt_fb {
    nf_bytes file;
    const char *bad; /* static text, NULL = well-formed so far */
    size_t bad_at;   /* where in the file */
} fmt_fb;

/* A table whose fields are known to lie in the file. */
typedef struct fmt_table {
    size_t at, vtable; /* at == 0: absent */
    uint16_t bytes, vtable_bytes;
} fmt_table;

typedef struct fmt_vector {
    const uint8_t *items; /* NULL: absent */
    size_t n;
} fmt_vector;

/** The root table of the whole file. */
fmt_table fmt_fb_root(fmt_fb *f);

static inline bool fmt_fb_has(fmt_table t)
{
    return t.at != 0;
}

/** Scalar fields: `absent` when the table has no such slot, or is itself absent. */
uint8_t fmt_fb_u8(fmt_fb *f, fmt_table t, unsigned slot, uint8_t absent);
int32_t fmt_fb_i32(fmt_fb *f, fmt_table t, unsigned slot, int32_t absent);
uint64_t fmt_fb_u64(fmt_fb *f, fmt_table t, unsigned slot, uint64_t absent);
float fmt_fb_f32(fmt_fb *f, fmt_table t, unsigned slot, float absent);

/** A table that a slot refers to; absent when the slot is. */
fmt_table fmt_fb_sub(fmt_fb *f, fmt_table t, unsigned slot);

/** A vector of elements of `size` bytes; all of it lies in the file. */
fmt_vector fmt_fb_vector(fmt_fb *f, fmt_table t, unsigned slot, size_t size);

/** Text without its NUL; {"", 0} when absent. */
nf_span fmt_fb_text(fmt_fb *f, fmt_table t, unsigned slot);

/** Table i of a vector of tables. */
fmt_table fmt_fb_item(fmt_fb *f, fmt_vector tables, size_t i);

/** Element i < v.n of a vector of numbers. */
int32_t fmt_vec_i32(fmt_vector v, size_t i);
int64_t fmt_vec_i64(fmt_vector v, size_t i);
float fmt_vec_f32(fmt_vector v, size_t i);

#endif /* FMT_FLATBUF_H */

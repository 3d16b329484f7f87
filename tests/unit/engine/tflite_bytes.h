/* tflite_bytes.h - writes small TensorFlow Lite files for tests. Parents are written before their
 * children, because offsets of a FlatBuffer point forward. Layer: tests. */
#ifndef TEST_TFLITE_BYTES_H
#define TEST_TFLITE_BYTES_H

#include "tests/support/support.h"

typedef struct flat {
    uint8_t data[16384];
    size_t len;
} flat;

static inline void flat_put(flat *f, size_t at, uint64_t v, size_t n)
{
    assert_true(at + n <= sizeof(f->data));
    for (size_t i = 0; i < n; i++)
        f->data[at + i] = (uint8_t)(v >> (8 * i));
}

static inline size_t flat_room(flat *f, size_t n)
{
    const size_t at = f->len;
    f->len += n;
    assert_true(f->len <= sizeof(f->data));
    return at;
}

/* A table of up to `slots` fields, 8 bytes for each; all are absent at first. */
static inline size_t flat_table(flat *f, size_t slots)
{
    const size_t vtable = flat_room(f, 4 + 2 * slots), table = flat_room(f, 4 + 8 * slots);
    flat_put(f, vtable, 4 + 2 * slots, 2);
    flat_put(f, vtable + 2, 4 + 8 * slots, 2);
    flat_put(f, table, table - vtable, 4);
    return table;
}

static inline size_t flat_slot(flat *f, size_t table, size_t slot)
{
    const size_t back = f->data[table] | (size_t)f->data[table + 1] << 8;
    flat_put(f, table - back + 4 + 2 * slot, 4 + 8 * slot, 2);
    return table + 4 + 8 * slot;
}

static inline void flat_set(flat *f, size_t table, size_t slot, uint64_t v)
{
    flat_put(f, flat_slot(f, table, slot), v, 8);
}

static inline void flat_refer(flat *f, size_t place, size_t to)
{
    flat_put(f, place, to - place, 4);
}

static inline size_t flat_child(flat *f, size_t table, size_t slot, size_t slots)
{
    const size_t place = flat_slot(f, table, slot), child = flat_table(f, slots);
    flat_refer(f, place, child);
    return child;
}

/* A vector of n elements of `size` bytes in a slot; returns its first element. */
static inline size_t flat_vector(flat *f, size_t table, size_t slot, size_t n, size_t size)
{
    const size_t place = flat_slot(f, table, slot), at = flat_room(f, 4 + n * size);
    flat_put(f, at, n, 4);
    flat_refer(f, place, at);
    return at + 4;
}

static inline void flat_ints(flat *f, size_t table, size_t slot, size_t n, const int32_t *v)
{
    const size_t at = flat_vector(f, table, slot, n, 4);
    for (size_t i = 0; i < n; i++)
        flat_put(f, at + 4 * i, (uint32_t)v[i], 4);
}

#endif /* TEST_TFLITE_BYTES_H */

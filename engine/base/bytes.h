/* bytes.h - borrowed byte and text ranges, and sizes that cannot wrap. Layer: base. */
#ifndef NF_BYTES_H
#define NF_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct nf_bytes {
    const uint8_t *data;
    size_t len;
} nf_bytes;

typedef struct nf_span { /* text that need not end in a NUL */
    const char *s;
    size_t len;
} nf_span;

static inline bool nf_span_is(nf_span a, const char *text)
{
    return strlen(text) == a.len && memcmp(a.s, text, a.len) == 0;
}

/** *out = a * b; false when it does not fit. */
static inline bool nf_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

/** *out = a + b; false when it does not fit. */
static inline bool nf_add_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

/** The bytes from `offset` on, `len` of them; false when they are not all there. */
static inline bool nf_bytes_sub(nf_bytes *out, nf_bytes in, size_t offset, size_t len)
{
    if (offset > in.len || len > in.len - offset) return false;
    *out = (nf_bytes){in.data + offset, len};
    return true;
}

#define NF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif /* NF_BYTES_H */

/* krn_qs8_matmul.h - 8-bit products of two computed sides on the tiles of an instruction set.
 * Layer: kernels. Thread rule: runs write the packed side, so one thread at a time has a product.
 *
 * With b less its zero point as weights, which may need 9 bits, the windows are used more than
 * once: by b as it is, then by the rest of minus the zero point, which is the same everywhere. */
#ifndef KRN_QS8_MATMUL_H
#define KRN_QS8_MATMUL_H

#include "engine/kernels/krn_qs8_conv.h"

typedef struct krn_qs8_sides { /* a [m, k], or [k, m] if adj_a; b [k, n], or [n, k] if adj_b */
    size_t m, n, k;            /* at least 1 */
    bool adj_a, adj_b;
    bool a_unsigned, b_unsigned, out_unsigned;
    int32_t zero_a, zero_b;
} krn_qs8_sides;

typedef struct krn_qs8_matmul {
    krn_qs8_sides sides;
    krn_qs8_conv conv;
    uint8_t *memory; /* that conv's pointers point into */
    size_t width;    /* n, rounded up to whole vectors of channels */
    int32_t moved;   /* what staged values of a stand off from a less its zero point */
    uint8_t none[KRN_QS8_MOST_LANES * KRN_QS8_MOST_VECS]; /* a row of b that has no weight */
} krn_qs8_matmul;

/** Bytes that krn_qs8_matmul_pack wants; 0: this product is not for this tier. r: [n] arrays, the
 * biases 0. */
size_t krn_qs8_matmul_bytes(const krn_qs8_tier *tier, const krn_qs8_sides *sides,
                            const krn_requant *r);

/** Makes a product ready in `memory` (zeroed, aligned to 64, of that many bytes), which must
 * outlive *p. */
void krn_qs8_matmul_pack(krn_qs8_matmul *p, const krn_qs8_tier *tier, const krn_qs8_sides *sides,
                         const krn_requant *r, void *memory);

size_t krn_qs8_matmul_scratch(const krn_qs8_matmul *p);

/** Packs a b; it stays until the next one. */
void krn_qs8_matmul_take(krn_qs8_matmul *p, const uint8_t *b, void *scratch);

/** y [m, n] = a * the b taken last. */
void krn_qs8_matmul_run(uint8_t *y, const uint8_t *a, const krn_qs8_matmul *p, void *scratch);

#endif /* KRN_QS8_MATMUL_H */

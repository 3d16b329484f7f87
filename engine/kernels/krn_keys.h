/* krn_keys.h - a table from keys, texts or numbers, to their positions: label encoders, one-hot
 * encoders, category maps, class labels. Layer: kernels. Thread rule: a built table may be shared.
 *
 * Open addressing over SipHash-2-4 (Aumasson and Bernstein, 2012). No search looks at more than
 * KRN_KEYS_PROBES places: a list of keys that needs more under eight seeds is refused. */
#ifndef KRN_KEYS_H
#define KRN_KEYS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define KRN_KEYS_PROBES 64

typedef struct krn_keys {
    const nf_span *spans; /* borrowed, these or those */
    const int64_t *ints;
    size_t n, mask;
    uint32_t *slot; /* position + 1; 0 = free */
    uint64_t seed;
} krn_keys;

/** The arrays are borrowed. Of equal keys the first counts. NF_EFORMAT: too many keys, or keys made
 * to collide. The caller frees with krn_keys_free. */
nf_status krn_keys_of_spans(krn_keys *out, const nf_span *spans, size_t n, nf_error *err);
nf_status krn_keys_of_ints(krn_keys *out, const int64_t *ints, size_t n, nf_error *err);
void krn_keys_free(krn_keys *k);

/** The position of a key; n when it is not there. */
size_t krn_keys_find_span(const krn_keys *k, nf_span key);
size_t krn_keys_find_int(const krn_keys *k, int64_t key);

/** Floats as integer keys: equal numbers give equal keys, both zeros are one, all NaNs are one. */
int64_t krn_key_of_f32(float v);
int64_t krn_key_of_f64(double v);

#endif /* KRN_KEYS_H */

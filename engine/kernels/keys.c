/* keys.c - hash table from keys to positions, bounded for any list of keys. Layer: kernels. Thread
 * rule: a built table may be shared. */
#include "engine/kernels/krn_keys.h"

#include "engine/base/mem.h"

#define WHERE     "table of keys"
#define SEEDS     8
#define MOST_KEYS (1u << 28)

static inline uint64_t turn(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

/* SipHash-2-4 with the key (seed, ~seed). */
static uint64_t hash(nf_span key, uint64_t seed)
{
    uint64_t v[4] = {seed ^ 0x736f6d6570736575u, ~seed ^ 0x646f72616e646f6du,
                     seed ^ 0x6c7967656e657261u, ~seed ^ 0x7465646279746573u};
    for (size_t i = 0; i <= key.len; i += 8) { /* the last word holds the rest and the length */
        const size_t left = key.len - i < 8 ? key.len - i : 8;
        uint64_t word = left < 8 ? (uint64_t)key.len << 56 : 0;
        for (size_t b = 0; b < left; b++)
            word |= (uint64_t)(uint8_t)key.s[i + b] << (8 * b);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline nf_span key_at(const krn_keys *k, size_t i)
{
    if (k->spans) return k->spans[i];
    return (nf_span){(const char *)&k->ints[i], sizeof(k->ints[i])};
}

static inline bool same(nf_span a, nf_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

/* The slot where a key stands or could stand; NULL when all places it may have are taken. */
static uint32_t *slot_of(const krn_keys *k, nf_span key)
{
    const uint64_t h = hash(key, k->seed);
    for (size_t p = 0; p < KRN_KEYS_PROBES; p++) {
        uint32_t *slot = &k->slot[(h + p) & k->mask];
        if (*slot == 0 || same(key_at(k, *slot - 1), key)) return slot;
    }
    return NULL;
}

static bool fill(krn_keys *k)
{
    memset(k->slot, 0, (k->mask + 1) * sizeof(*k->slot));
    for (size_t i = 0; i < k->n; i++) {
        uint32_t *slot = slot_of(k, key_at(k, i));
        if (!slot) return false;
        if (*slot == 0) *slot = (uint32_t)i + 1;
    }
    return true;
}

static nf_status make(krn_keys *k, nf_error *err)
{
    size_t slots = 8;
    if (k->n > MOST_KEYS) return nf_fail(err, NF_EFORMAT, WHERE, "%zu keys", k->n);
    while (slots < 2 * k->n)
        slots *= 2;
    k->mask = slots - 1;
    k->slot = nf_alloc_array(slots, sizeof(*k->slot), NF_MEM_WEIGHTS);
    if (!k->slot) return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu keys", k->n);
    for (k->seed = 1; k->seed <= SEEDS; k->seed++)
        if (fill(k)) return NF_OK;
    return nf_fail(err, NF_EFORMAT, WHERE, "%zu keys that collide", k->n);
}

nf_status krn_keys_of_spans(krn_keys *out, const nf_span *spans, size_t n, nf_error *err)
{
    *out = (krn_keys){.spans = spans, .n = n};
    return make(out, err);
}

nf_status krn_keys_of_ints(krn_keys *out, const int64_t *ints, size_t n, nf_error *err)
{
    *out = (krn_keys){.ints = ints, .n = n};
    return make(out, err);
}

void krn_keys_free(krn_keys *k)
{
    nf_free(k->slot);
    *k = (krn_keys){0};
}

size_t krn_keys_find_span(const krn_keys *k, nf_span key)
{
    const uint32_t *slot = slot_of(k, key);
    return slot && *slot ? *slot - 1 : k->n;
}

size_t krn_keys_find_int(const krn_keys *k, int64_t key)
{
    return krn_keys_find_span(k, (nf_span){(const char *)&key, sizeof(key)});
}

int64_t krn_key_of_f32(float v)
{
    uint32_t bits;
    if (v != v) return INT64_MAX;
    v += 0.0f; /* makes -0 to 0 */
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

int64_t krn_key_of_f64(double v)
{
    int64_t bits;
    if (v != v) return INT64_MAX;
    v += 0.0;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

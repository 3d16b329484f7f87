/* gather_ref.c - elements at computed places, read and written, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_move.h"

#include <string.h>

/* A place as 0 .. n-1; false when it is out of range. */
static bool place_of(size_t *out, int64_t at, size_t n)
{
    if (at < 0) at += (int64_t)n;
    *out = (size_t)at;
    return at >= 0 && (size_t)at < n;
}

size_t krn_gather_ref(void *y, const void *x, const int64_t *at, size_t size, const krn_gather *g)
{
    const size_t run = g->inner * size;
    size_t bad = KRN_ALL_FOUND;
    char *to = y;
    for (size_t b = 0; b < g->batch; b++)
        for (size_t o = 0; o < g->outer; o++) {
            const char *from = (const char *)x + (b * g->outer + o) * g->n * run;
            for (size_t i = 0; i < g->m; i++, to += run) {
                size_t place;
                if (place_of(&place, at[b * g->m + i], g->n)) {
                    memcpy(to, from + place * run, run);
                    continue;
                }
                memset(to, 0, run);
                if (bad == KRN_ALL_FOUND) bad = b * g->m + i;
            }
        }
    return bad;
}

/* Where tuple i of batch b points to, in runs of inner elements; its first bad number, or
 * KRN_ALL_FOUND. */
static size_t find_tuple(size_t *run, const int64_t *at, const krn_tuples *t, size_t i)
{
    size_t where = i / t->m;
    *run = 0;
    for (int k = 0; k < t->k; k++) {
        size_t place;
        if (!place_of(&place, at[i * (size_t)t->k + (size_t)k], t->dim[k]))
            return i * (size_t)t->k + (size_t)k;
        where = where * t->dim[k] + place;
    }
    *run = where;
    return KRN_ALL_FOUND;
}

size_t krn_gather_nd_ref(void *y, const void *x, const int64_t *at, size_t size,
                         const krn_tuples *t)
{
    const size_t bytes = t->inner * size;
    size_t bad = KRN_ALL_FOUND;
    for (size_t i = 0; i < t->batch * t->m; i++) {
        size_t run;
        const size_t wrong = find_tuple(&run, at, t, i);
        if (wrong == KRN_ALL_FOUND)
            memcpy((char *)y + i * bytes, (const char *)x + run * bytes, bytes);
        else
            memset((char *)y + i * bytes, 0, bytes);
        if (bad == KRN_ALL_FOUND) bad = wrong;
    }
    return bad;
}

size_t krn_scatter_nd_ref(void *y, const void *u, const int64_t *at, size_t size,
                          const krn_tuples *t, krn_update_fn update)
{
    const size_t bytes = t->inner * size;
    size_t bad = KRN_ALL_FOUND;
    for (size_t i = 0; i < t->batch * t->m; i++) {
        size_t run;
        const size_t wrong = find_tuple(&run, at, t, i);
        if (wrong == KRN_ALL_FOUND)
            update((char *)y + run * bytes, (const char *)u + i * bytes, t->inner, size);
        if (bad == KRN_ALL_FOUND) bad = wrong;
    }
    return bad;
}

/* Walks over the indices in their order. */
typedef struct cursor {
    size_t index[KRN_RANK], step[KRN_RANK]; /* step: of x */
    size_t count;
} cursor;

static void start(cursor *c, const krn_elements *e)
{
    size_t step = 1;
    *c = (cursor){.count = 1};
    for (int i = e->rank - 1; i >= 0; i--) {
        c->step[i] = step;
        step *= e->dim[i];
        c->count *= e->at[i];
    }
}

/* The element of x that the walk stands at, with `place` along the axis. */
static size_t element(const cursor *c, const krn_elements *e, size_t place)
{
    size_t at = 0;
    for (int i = 0; i < e->rank; i++)
        at += (i == e->axis ? place : c->index[i]) * c->step[i];
    return at;
}

static void step_on(cursor *c, const krn_elements *e)
{
    for (int i = e->rank - 1; i >= 0; i--) {
        if (++c->index[i] < e->at[i]) return;
        c->index[i] = 0;
    }
}

size_t krn_gather_elements_ref(void *y, const void *x, const int64_t *at, size_t size,
                               const krn_elements *e)
{
    size_t bad = KRN_ALL_FOUND;
    cursor c;
    start(&c, e);
    for (size_t i = 0; i < c.count; i++, step_on(&c, e)) {
        size_t place;
        char *to = (char *)y + i * size;
        if (place_of(&place, at[i], e->dim[e->axis])) {
            memcpy(to, (const char *)x + element(&c, e, place) * size, size);
            continue;
        }
        memset(to, 0, size);
        if (bad == KRN_ALL_FOUND) bad = i;
    }
    return bad;
}

size_t krn_scatter_elements_ref(void *y, const void *u, const int64_t *at, size_t size,
                                const krn_elements *e, krn_update_fn update)
{
    size_t bad = KRN_ALL_FOUND;
    cursor c;
    start(&c, e);
    for (size_t i = 0; i < c.count; i++, step_on(&c, e)) {
        size_t place;
        if (place_of(&place, at[i], e->dim[e->axis]))
            update((char *)y + element(&c, e, place) * size, (const char *)u + i * size, 1, size);
        else if (bad == KRN_ALL_FOUND)
            bad = i;
    }
    return bad;
}

static void update_set(void *y, const void *u, size_t n, size_t size)
{
    memcpy(y, u, n * size);
}

/* Whole numbers wrap: sums and products are taken in a type without sign. */
#define UPDATES(name, type, wide)                                                                  \
    static void update_add_##name(void *y, const void *u, size_t n, size_t size)                   \
    {                                                                                              \
        type *a = y;                                                                               \
        const type *b = u;                                                                         \
        (void)size;                                                                                \
        for (size_t i = 0; i < n; i++)                                                             \
            a[i] = (type)((wide)a[i] + (wide)b[i]);                                                \
    }                                                                                              \
    static void update_mul_##name(void *y, const void *u, size_t n, size_t size)                   \
    {                                                                                              \
        type *a = y;                                                                               \
        const type *b = u;                                                                         \
        (void)size;                                                                                \
        for (size_t i = 0; i < n; i++)                                                             \
            a[i] = (type)((wide)a[i] * (wide)b[i]);                                                \
    }                                                                                              \
    static void update_max_##name(void *y, const void *u, size_t n, size_t size)                   \
    {                                                                                              \
        type *a = y;                                                                               \
        const type *b = u;                                                                         \
        (void)size;                                                                                \
        for (size_t i = 0; i < n; i++)                                                             \
            a[i] = b[i] > a[i] ? b[i] : a[i];                                                      \
    }                                                                                              \
    static void update_min_##name(void *y, const void *u, size_t n, size_t size)                   \
    {                                                                                              \
        type *a = y;                                                                               \
        const type *b = u;                                                                         \
        (void)size;                                                                                \
        for (size_t i = 0; i < n; i++)                                                             \
            a[i] = b[i] < a[i] ? b[i] : a[i];                                                      \
    }

/* clang-format off */
#define NUMBERS(X) /* name in krn_type, C type, type of sums */                                    \
    X(F32, float, float)       X(F64, double, double)                                              \
    X(I8, int8_t, uint32_t)    X(U8, uint8_t, uint32_t)                                            \
    X(I16, int16_t, uint32_t)  X(U16, uint16_t, uint32_t)                                          \
    X(I32, int32_t, uint32_t)  X(U32, uint32_t, uint32_t)                                          \
    X(I64, int64_t, uint64_t)  X(U64, uint64_t, uint64_t)
/* clang-format on */

NUMBERS(UPDATES)

krn_update_fn krn_update_of(krn_scatter how, krn_type type)
{
    static const krn_update_fn table[KRN_TYPES][4] = {
#define ROW(name, type, wide)                                                                      \
    [KRN_##name] = {update_add_##name, update_mul_##name, update_max_##name, update_min_##name},
        NUMBERS(ROW)
#undef ROW
    };
    if (how == KRN_SCATTER_SET) return update_set;
    return (unsigned)type < KRN_TYPES ? table[type][how - KRN_SCATTER_ADD] : NULL;
}

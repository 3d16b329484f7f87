/* cast_ref.c - values from one element type to another, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_cast.h"

#include "engine/base/half.h"

#include <math.h>

/* A value of any type: whole numbers keep all their bits. */
typedef struct value {
    bool real;
    double d;
    int64_t i; /* of U64 the same bits */
} value;

static value get(const void *x, krn_type t, size_t k)
{
    switch (t) {
    case KRN_F32:
        return (value){true, (double)((const float *)x)[k], 0};
    case KRN_F64:
        return (value){true, ((const double *)x)[k], 0};
    case KRN_F16:
        return (value){true, (double)nf_from_f16(((const uint16_t *)x)[k]), 0};
    case KRN_BF16:
        return (value){true, (double)nf_from_bf16(((const uint16_t *)x)[k]), 0};
    case KRN_I8:
        return (value){false, 0, ((const int8_t *)x)[k]};
    case KRN_U8:
    case KRN_BOOL:
        return (value){false, 0, ((const uint8_t *)x)[k]};
    case KRN_I16:
        return (value){false, 0, ((const int16_t *)x)[k]};
    case KRN_U16:
        return (value){false, 0, ((const uint16_t *)x)[k]};
    case KRN_I32:
        return (value){false, 0, ((const int32_t *)x)[k]};
    case KRN_U32:
        return (value){false, 0, ((const uint32_t *)x)[k]};
    default:
        return (value){false, 0, ((const int64_t *)x)[k]};
    }
}

/* A real number as a whole one within low .. high; high is one less than a power of two. */
static int64_t whole(const value *v, double low, double high)
{
    if (!v->real) return v->i;
    if (isnan(v->d)) return 0;
    if (v->d <= low) return (int64_t)low;
    if (v->d >= high + 1) return high < 0x1p62 ? (int64_t)high : INT64_MAX;
    return (int64_t)v->d;
}

static double real_of(const value *v, bool is_u64)
{
    if (v->real) return v->d;
    return is_u64 ? (double)(uint64_t)v->i : (double)v->i;
}

static uint64_t whole_u64(const value *v)
{
    if (!v->real) return (uint64_t)v->i;
    if (!(v->d > 0)) return 0;
    return v->d >= 0x1p64 ? UINT64_MAX : (uint64_t)v->d;
}

static void put_whole(void *y, krn_type t, size_t k, const value *v)
{
    switch (t) {
    case KRN_I8:
        ((int8_t *)y)[k] = (int8_t)whole(v, INT8_MIN, INT8_MAX);
        break;
    case KRN_U8:
        ((uint8_t *)y)[k] = (uint8_t)whole(v, 0, UINT8_MAX);
        break;
    case KRN_I16:
        ((int16_t *)y)[k] = (int16_t)whole(v, INT16_MIN, INT16_MAX);
        break;
    case KRN_U16:
        ((uint16_t *)y)[k] = (uint16_t)whole(v, 0, UINT16_MAX);
        break;
    case KRN_I32:
        ((int32_t *)y)[k] = (int32_t)whole(v, INT32_MIN, INT32_MAX);
        break;
    case KRN_U32:
        ((uint32_t *)y)[k] = (uint32_t)whole(v, 0, UINT32_MAX);
        break;
    case KRN_U64:
        ((uint64_t *)y)[k] = whole_u64(v);
        break;
    default:
        ((int64_t *)y)[k] = whole(v, -0x1p63, 0x1p63 - 1024);
        break;
    }
}

static void put(void *y, krn_type t, size_t k, const value *v, bool from_u64)
{
    const double d = real_of(v, from_u64);
    switch (t) {
    case KRN_F32:
        ((float *)y)[k] = (float)d;
        break;
    case KRN_F64:
        ((double *)y)[k] = d;
        break;
    case KRN_F16:
        ((uint16_t *)y)[k] = nf_to_f16((float)d);
        break;
    case KRN_BF16:
        ((uint16_t *)y)[k] = nf_to_bf16((float)d);
        break;
    case KRN_BOOL:
        ((uint8_t *)y)[k] = v->real ? v->d != 0 : v->i != 0;
        break;
    default:
        put_whole(y, t, k, v);
    }
}

/* What whole products are followed by. */
static void floats_of(float *y, const int32_t *x, size_t n)
{
    for (size_t k = 0; k < n; k++)
        y[k] = (float)x[k];
}

void krn_cast_ref(void *y, krn_type to, const void *x, krn_type from, size_t n)
{
    if (to == KRN_F32 && from == KRN_I32) {
        floats_of(y, x, n);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        const value v = get(x, from, k);
        put(y, to, k, &v, from == KRN_U64);
    }
}

void krn_dequantize_ref(float *y, const void *x, krn_type type, size_t outer, const krn_scales *q)
{
    size_t k = 0;
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < q->n; c++)
            for (size_t i = 0; i < q->inner; i++, k++)
                y[k] = (float)(get(x, type, k).i - q->zero[c]) * q->scale[c];
}

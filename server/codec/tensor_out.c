/* tensor_out.c - writes tensors as JSON. Layer: server/codec. Thread rule: no shared state. */
#include "server/base/json_out.h"
#include "server/codec/codec.h"
#include "server/codec/tensor_in.h"

static void write_value(srv_buf *b, const eng_view *v, size_t i)
{
    switch (v->dtype) {
    case ENG_F32:
        srv_json_f32(b, ((const float *)v->data)[i]);
        return;
    case ENG_F64:
        srv_json_f64(b, ((const double *)v->data)[i]);
        return;
    case ENG_I8:
        srv_buf_i64(b, ((const int8_t *)v->data)[i]);
        return;
    case ENG_U8:
        srv_buf_u64(b, ((const uint8_t *)v->data)[i]);
        return;
    case ENG_I16:
        srv_buf_i64(b, ((const int16_t *)v->data)[i]);
        return;
    case ENG_I32:
        srv_buf_i64(b, ((const int32_t *)v->data)[i]);
        return;
    case ENG_I64:
        srv_buf_i64(b, ((const int64_t *)v->data)[i]);
        return;
    case ENG_BOOL:
        srv_buf_text(b, ((const uint8_t *)v->data)[i] ? "true" : "false");
        return;
    case ENG_U16:
        srv_buf_u64(b, ((const uint16_t *)v->data)[i]);
        return;
    case ENG_U32:
        srv_buf_u64(b, ((const uint32_t *)v->data)[i]);
        return;
    case ENG_U64:
        srv_buf_u64(b, ((const uint64_t *)v->data)[i]);
        return;
    case ENG_STR:
        srv_json_string(b, ((const nf_span *)v->data)[i]);
        return;
    case ENG_F16: /* replies hold these as FP32 */
    case ENG_BF16:
    case ENG_DTYPE_COUNT:
        return;
    }
}

// clang-format off
#define NUMBERS(X) \
    X(F32, float) X(F64, double) X(I8, int8_t) X(U8, uint8_t) X(I16, int16_t) X(U16, uint16_t) \
    X(I32, int32_t) X(U32, uint32_t) X(I64, int64_t) X(U64, uint64_t) X(BOOL, uint8_t)
// clang-format on

double srv_value_of(const eng_view *v, size_t i)
{
    switch (v->dtype) {
#define X(name, type)                                                                              \
    case ENG_##name:                                                                               \
        return (double)((const type *)v->data)[i];
        NUMBERS(X)
#undef X
    default:
        return 0;
    }
}

size_t srv_best_of(const eng_view *v, size_t from, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (srv_value_of(v, from + i) > srv_value_of(v, from + best)) best = i;
    return best;
}

void srv_write_flat(srv_buf *b, const eng_view *v, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) srv_buf_char(b, ',');
        write_value(b, v, from + i);
    }
}

/* Brackets that stand before (open) or behind element i: one for each level whose block of elements
 * starts or ends there. */
static int brackets_at(size_t i, const size_t *block, int rank)
{
    int n = 0;
    while (n < rank && i % block[rank - 1 - n] == 0)
        n++;
    return n;
}

/* A shape with a 0 in it: brackets down to that level, [[],[]] for 2 x 0. */
static void write_empty(srv_buf *b, const size_t *dim)
{
    size_t at[SRV_NEST_MOST] = {0};
    int level = 0;
    srv_buf_char(b, '[');
    while (level >= 0 && !b->failed) {
        if (at[level] == dim[level]) { /* all members are written */
            srv_buf_char(b, ']');
            level--;
            continue;
        }
        if (at[level]++) srv_buf_char(b, ',');
        srv_buf_char(b, '[');
        at[++level] = 0;
    }
}

void srv_write_nested(srv_buf *b, const eng_view *v, size_t from, const size_t *dim, int rank)
{
    size_t block[SRV_NEST_MOST], count = 1;
    for (int i = rank; i-- > 0;) /* block[i]: elements of one array of level i */
        block[i] = count *= dim[i];
    if (count == 0) {
        write_empty(b, dim);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i) srv_buf_char(b, ',');
        for (int n = brackets_at(i, block, rank); n > 0; n--)
            srv_buf_char(b, '[');
        write_value(b, v, from + i);
        for (int n = brackets_at(i + 1, block, rank); n > 0; n--)
            srv_buf_char(b, ']');
    }
}

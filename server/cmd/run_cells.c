/* run_cells.c - one record of text into the rows of tensors. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/run_columns.h"

#include "server/table/decimal.h"

#include <math.h>

/* Writes one value; false where the text is none of the type. `to` is the element. */
typedef bool (*put_cell)(void *to, nf_span cell);

static bool put_f32(void *to, nf_span cell)
{
    float v;
    if (!srv_decimal_f32(&v, cell.s, cell.len) || !isfinite(v)) return false;
    memcpy(to, &v, sizeof(v));
    return true;
}

static bool put_f64(void *to, nf_span cell)
{
    double v;
    if (!srv_decimal_f64(&v, cell.s, cell.len) || !isfinite(v)) return false;
    memcpy(to, &v, sizeof(v));
    return true;
}

static bool put_bool(void *to, nf_span cell)
{
    const bool is_true = nf_span_is(cell, "true") || nf_span_is(cell, "1");
    const uint8_t v = is_true;
    if (!is_true && !nf_span_is(cell, "false") && !nf_span_is(cell, "0")) return false;
    memcpy(to, &v, sizeof(v));
    return true;
}

/* "3" and "3.0" are integers, "3.5" is none. */
static bool integer(int64_t *out, nf_span cell, int64_t least, int64_t most)
{
    double v;
    if (!srv_decimal_i64(out, cell.s, cell.len)) {
        if (!srv_decimal_f64(&v, cell.s, cell.len) || !(fabs(v) < 9e15) || v != floor(v))
            return false;
        *out = (int64_t)v;
    }
    return *out >= least && *out <= most;
}

static bool put_u64(void *to, nf_span cell)
{
    int64_t small;
    uint64_t v = 0;
    if (integer(&small, cell, 0, INT64_MAX)) {
        v = (uint64_t)small;
    } else {
        if (cell.len == 0) return false;
        for (size_t i = 0; i < cell.len; i++)
            if (cell.s[i] < '0' || cell.s[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
                __builtin_add_overflow(v, (uint64_t)(cell.s[i] - '0'), &v))
                return false;
    }
    memcpy(to, &v, sizeof(v));
    return true;
}

#define PUT_INTEGER(name, type, least, most)                                                       \
    static bool put_##name(void *to, nf_span cell)                                                 \
    {                                                                                              \
        int64_t v;                                                                                 \
        if (!integer(&v, cell, least, most)) return false;                                         \
        const type t = (type)v;                                                                    \
        memcpy(to, &t, sizeof(t));                                                                 \
        return true;                                                                               \
    }

PUT_INTEGER(i8, int8_t, INT8_MIN, INT8_MAX)
PUT_INTEGER(u8, uint8_t, 0, UINT8_MAX)
PUT_INTEGER(i16, int16_t, INT16_MIN, INT16_MAX)
PUT_INTEGER(i32, int32_t, INT32_MIN, INT32_MAX)
PUT_INTEGER(i64, int64_t, INT64_MIN, INT64_MAX)
PUT_INTEGER(u16, uint16_t, 0, UINT16_MAX)
PUT_INTEGER(u32, uint32_t, 0, UINT32_MAX)

typedef struct cell_type {
    put_cell put;
    const char *expected;
} cell_type;

/* A type of elements is a row; one without a row is refused. */
static const cell_type types[ENG_DTYPE_COUNT] = {
    [ENG_F32] = {put_f32, "a number"},
    [ENG_F64] = {put_f64, "a number"},
    [ENG_I8] = {put_i8, "an integer of -128 to 127"},
    [ENG_U8] = {put_u8, "an integer of 0 to 255"},
    [ENG_I16] = {put_i16, "an integer of 16 bits"},
    [ENG_I32] = {put_i32, "an integer of 32 bits"},
    [ENG_I64] = {put_i64, "an integer of 64 bits"},
    [ENG_U16] = {put_u16, "an integer of 0 to 65535"},
    [ENG_U32] = {put_u32, "an integer of 0 to 4294967295"},
    [ENG_U64] = {put_u64, "an integer of 0 to 18446744073709551615"},
    [ENG_BOOL] = {put_bool, "true, false, 1 or 0"},
};

bool run_cell_missing(nf_span cell)
{
    static const char *const words[] = {"NA", "N/A", "NaN", "nan", "NULL", "null", "None"};
    if (cell.len == 0) return true;
    for (size_t i = 0; cell.len <= 4 && i < NF_COUNT(words); i++)
        if (nf_span_is(cell, words[i])) return true;
    return false;
}

/* NaN is a value of floating point alone; an 8-bit input has no code for it. */
static const char *put_missing(const run_columns *c, const eng_io *io, eng_dtype dtype, void *to)
{
    const float f = NAN;
    const double d = NAN;
    if (c->missing == RUN_MISSING_REFUSE) return "a value, none may be missing (--missing refuse)";
    if (c->missing == RUN_MISSING_FILL)
        return types[dtype].put(to, c->fill) ? NULL : "a value, that of --missing is none here";
    if (dtype == ENG_F32 && !io->quantized)
        memcpy(to, &f, sizeof(f));
    else if (dtype == ENG_F64)
        memcpy(to, &d, sizeof(d));
    else
        return "a value: the input has no NaN (--missing NUMBER fills in)";
    return NULL;
}

static nf_span trimmed(nf_span cell)
{
    for (; cell.len && strchr(" \t", cell.s[0]); cell.s++)
        cell.len--;
    while (cell.len && strchr(" \t", cell.s[cell.len - 1]))
        cell.len--;
    return cell;
}

/* NULL, or what was expected. */
static const char *store_cell(const run_columns *c, const eng_io *io, const eng_view *v, void *to,
                              nf_span cell)
{
    const cell_type *const type = &types[v->dtype];
    if (!type->put) return "a type that tables can hold";
    if (type->put(to, cell)) return NULL;
    cell = trimmed(cell); /* blanks in quotes are part of a text, not of a number */
    if (type->put(to, cell)) return NULL;
    return run_cell_missing(cell) ? put_missing(c, io, v->dtype, to) : type->expected;
}

/* A text keeps its blanks, and an empty one is a value. */
static const char *store_text(nf_span *to, srv_arena *text, nf_span cell)
{
    char *const copy = srv_arena_alloc(text, cell.len + 1);
    if (!copy) return "less text in all";
    memcpy(copy, cell.s, cell.len);
    *to = (nf_span){copy, cell.len};
    return NULL;
}

bool run_columns_store(const run_columns *c, const eng_view *in, size_t row, const nf_span *cell,
                       size_t n_cells, run_bad_cell *bad)
{
    const size_t *column = c->column;
    *bad = (run_bad_cell){.column = SIZE_MAX};
    if (n_cells != c->n_cells) return false;
    for (size_t i = 0; i < c->info->n_inputs; i++) {
        const eng_io *const io = &c->info->inputs[i];
        const size_t size = eng_dtype_size(in[i].dtype);
        char *to = (char *)in[i].data + row * io->row_elems * size;
        for (size_t k = 0; k < io->row_elems; k++, to += size, column++) {
            bad->expected = in[i].dtype == ENG_STR
                                ? store_text((nf_span *)(void *)to, c->text, cell[*column])
                                : store_cell(c, io, &in[i], to, cell[*column]);
            bad->column = *column;
            if (bad->expected) return false;
        }
    }
    return true;
}

/* fmt_onnx_nbits.c - MatMulNBits: weights of 2, 4 or 8 bits in blocks of one scale. Layer: format.
 * Thread rule: no shared state. They become floats when they are read. */
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

typedef struct nbits {
    int64_t k, n, bits, block;
    size_t blocks;        /* of a row */
    const uint8_t *q;     /* [n, blocks, block * bits / 8] */
    const float *scale;   /* [n, blocks] */
    const uint8_t *zero;  /* [n, blocks * bits / 8 rounded up]; NULL: the middle */
    const float *zero_fp; /* [n, blocks], in their place */
} nbits;

static nf_status read_sizes(nbits *b, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    if ((st = fmt_onnx_int(&b->k, o, n, "K", 0))) return st;
    if ((st = fmt_onnx_int(&b->n, o, n, "N", 0))) return st;
    if ((st = fmt_onnx_int(&b->bits, o, n, "bits", 4))) return st;
    if ((st = fmt_onnx_int(&b->block, o, n, "block_size", 0))) return st;
    const bool fits = b->k > 0 && b->n > 0 && b->k <= (int64_t)IR_MAX_ELEMS &&
                      b->n <= (int64_t)IR_MAX_ELEMS && b->block >= 8 && b->block <= 65536 &&
                      (b->bits == 2 || b->bits == 4 || b->bits == 8);
    if (!fits || b->k * b->n > (int64_t)IR_MAX_ELEMS)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "%lld x %lld of %lld bits in blocks of %lld", (long long)b->n,
                       (long long)b->k, (long long)b->bits, (long long)b->block);
    b->blocks = (size_t)((b->k + b->block - 1) / b->block);
    return NF_OK;
}

static nf_status wrong_size(const fmt_onnx_ctx *o, const char *what, size_t n)
{
    return nf_fail(o->err, NF_EFORMAT, o->where, "%zu %s, which do not fit the weights", n, what);
}

/* Bytes of `n` numbers that begin a new byte. */
static size_t packed(const nbits *b, size_t n)
{
    return (n * (size_t)b->bits + 7) / 8;
}

static nf_status read_parts(nbits *b, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_const *q, *z;
    size_t count, all = (size_t)b->n * b->blocks;
    nf_status st;
    if ((st = fmt_onnx_content(&q, &count, o, fmt_onnx_in(o, n, 1)))) return st;
    if (q->type != 2 || count != all * packed(b, (size_t)b->block)) /* UINT8 */
        return wrong_size(o, "bytes", count);
    b->q = q->data;
    if ((st = fmt_onnx_floats(&b->scale, &count, o, fmt_onnx_in(o, n, 2)))) return st;
    if (count != all) return wrong_size(o, "scales", count);
    if (fmt_onnx_in(o, n, 3) == IR_NONE) return NF_OK;
    if ((st = fmt_onnx_content(&z, &count, o, fmt_onnx_in(o, n, 3)))) return st;
    if (z->type != 2) {
        if ((st = fmt_onnx_floats(&b->zero_fp, &count, o, fmt_onnx_in(o, n, 3)))) return st;
        return count == all ? NF_OK : wrong_size(o, "zero points", count);
    }
    b->zero = z->data;
    return count == (size_t)b->n * packed(b, b->blocks) ? NF_OK
                                                        : wrong_size(o, "zero points", count);
}

/* Number i of a list; the lowest bits of a byte come first. */
static int number(const uint8_t *list, size_t i, int64_t bits)
{
    const size_t each = (size_t)(8 / bits);
    return list[i / each] >> (i % each * (size_t)bits) & ((1 << bits) - 1);
}

static float zero_of(const nbits *b, size_t row, size_t block)
{
    if (b->zero_fp) return b->zero_fp[row * b->blocks + block];
    if (!b->zero) return (float)(1 << (b->bits - 1));
    return (float)number(b->zero + row * packed(b, b->blocks), block, b->bits);
}

static void unpack(float *to, const nbits *b)
{
    const size_t bytes = packed(b, (size_t)b->block);
    for (size_t r = 0; r < (size_t)b->n; r++)
        for (size_t i = 0; i < (size_t)b->k; i++) {
            const size_t block = i / (size_t)b->block, at = r * b->blocks + block;
            const int q = number(b->q + at * bytes, i % (size_t)b->block, b->bits);
            *to++ = ((float)q - zero_of(b, r, block)) * b->scale[at];
        }
}

/* x, bytes, scales, zero points?, order of the inputs? (refused), bias? */
nf_status fmt_onnx_matmul_nbits(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr dense = {.dense = {.clamp = ir_no_clamp(), .keep_dims = true}};
    nbits b = {.k = 0};
    int32_t in[3], y;
    nf_status st;
    if ((st = read_sizes(&b, o, n)) || (st = read_parts(&b, o, n))) return st;
    if (fmt_onnx_in(o, n, 4) != IR_NONE)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "MatMulNBits with g_idx");
    if ((st = fmt_onnx_spend(o, (size_t)(b.n * b.k) * sizeof(float)))) return st;
    float *w = nf_alloc_array((size_t)(b.n * b.k), sizeof(*w), NF_MEM_GRAPH);
    if (!w) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for the weights");
    unpack(w, &b);
    st = fmt_onnx_new_floats(&in[1], o, w, (int64_t[]){b.n, b.k}, 2);
    nf_free(w);
    if (st || (st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    const bool has_bias = fmt_onnx_in(o, n, 5) != IR_NONE;
    if (has_bias && (st = fmt_onnx_use(&in[2], o, fmt_onnx_in(o, n, 5)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_FULLY_CONNECTED, in, has_bias ? 3 : 2, y, &dense);
}

/* shape_blocks.c - the shape rules of ops_move.h: blocks of pixels, diagonals, segments. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/shape.h"
#include "engine/ir/slice.h"

static nf_status not_whole(const ir_rule *a, int64_t dim, int64_t by)
{
    return nf_fail(a->err, NF_EFORMAT, a->where, "%s of %lld by %lld", ir_op_name(a->node->op),
                   (long long)dim, (long long)by);
}

/* Axes of height and channels, and the block of a node. */
static nf_status block_of(int64_t *block, int *h, int *c, const ir_rule *a)
{
    const bool first = a->node->attr.misc.flag;
    *block = a->node->attr.misc.size[0];
    *h = first ? 2 : 1;
    *c = first ? 1 : 3;
    if (*block < 1 || *block > 32768) return not_whole(a, *block, 1);
    return ir_rule_rank(a, 0, 4, 4);
}

IR_RULE(space_to_depth)
{
    int64_t block;
    int h, c;
    nf_status st;
    if ((st = block_of(&block, &h, &c, a))) return st;
    ir_rule_copy(out, a, 0);
    for (int i = h; i < h + 2; i++) {
        if (out->dim[i] >= 0 && out->dim[i] % block) return not_whole(a, out->dim[i], block);
        if (out->dim[i] >= 0) out->dim[i] /= block;
    }
    out->dim[c] = ir_dim_mul(out->dim[c], block * block);
    return NF_OK;
}

IR_RULE(depth_to_space)
{
    int64_t block;
    int h, c;
    nf_status st;
    if ((st = block_of(&block, &h, &c, a))) return st;
    ir_rule_copy(out, a, 0);
    if (out->dim[c] >= 0 && out->dim[c] % (block * block))
        return not_whole(a, out->dim[c], block * block);
    if (out->dim[c] >= 0) out->dim[c] /= block * block;
    for (int i = h; i < h + 2; i++)
        out->dim[i] = ir_dim_mul(out->dim[i], block);
    return NF_OK;
}

/* What SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND read beside x. */
typedef struct blocks {
    int n; /* spatial axes, from axis 1 on */
    bool known;
    int64_t size[ENG_MAX_RANK], edge[ENG_MAX_RANK][2]; /* pads or crops */
} blocks;

static nf_status read_blocks(blocks *b, const ir_rule *a)
{
    const ir_tensor *size = ir_rule_in(a, 1), *edge = ir_rule_in(a, 2);
    const int64_t n = size->rank == 1 ? size->dim[0] : -1;
    const bool whole = (size->dtype == ENG_I32 || size->dtype == ENG_I64) &&
                       (edge->dtype == ENG_I32 || edge->dtype == ENG_I64);
    const bool fits = whole && n >= 1 && n < ir_rule_in(a, 0)->rank && edge->rank == 2 &&
                      edge->dim[0] == n && edge->dim[1] == 2;
    *b = (blocks){.n = (int)n, .known = size->data && edge->data};
    if (!fits)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s with blocks or edges of another shape",
                       ir_op_name(a->node->op));
    if (!b->known) return NF_OK;
    ir_const_ints(b->size, size, 0, (size_t)n);
    ir_const_ints(b->edge[0], edge, 0, 2 * (size_t)n);
    for (int i = 0; i < b->n; i++) {
        if (b->size[i] == IR_UNKNOWN) b->known = false;
        if (!b->known) return NF_OK;
        const int64_t most = (int64_t)IR_MAX_ELEMS;
        if (b->size[i] < 1 || b->size[i] > most || b->edge[i][0] < 0 || b->edge[i][1] < 0 ||
            b->edge[i][0] > most || b->edge[i][1] > most)
            return not_whole(a, b->size[i], 1);
    }
    return NF_OK;
}

static void open_blocks(ir_shape *out, const blocks *b, const ir_rule *a)
{
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    if (b->known) return;
    for (int i = 0; i <= b->n; i++)
        out->dim[i] = IR_FREE;
}

IR_RULE(space_to_batch)
{
    blocks b;
    nf_status st;
    if ((st = read_blocks(&b, a))) return st;
    open_blocks(out, &b, a);
    for (int i = 1; b.known && i <= b.n; i++) {
        int64_t *d = &out->dim[i];
        *d = ir_dim_add(*d, b.edge[i - 1][0] + b.edge[i - 1][1]);
        if (*d >= 0 && *d % b.size[i - 1]) return not_whole(a, *d, b.size[i - 1]);
        if (*d >= 0) *d /= b.size[i - 1];
        out->dim[0] = ir_dim_mul(out->dim[0], b.size[i - 1]);
    }
    return NF_OK;
}

IR_RULE(batch_to_space)
{
    blocks b;
    nf_status st;
    if ((st = read_blocks(&b, a))) return st;
    open_blocks(out, &b, a);
    for (int i = 1; b.known && i <= b.n; i++) {
        int64_t *d = &out->dim[i];
        const int64_t cut = b.edge[i - 1][0] + b.edge[i - 1][1];
        if (out->dim[0] >= 0 && out->dim[0] % b.size[i - 1])
            return not_whole(a, out->dim[0], b.size[i - 1]);
        if (out->dim[0] >= 0) out->dim[0] /= b.size[i - 1];
        *d = ir_dim_mul(*d, b.size[i - 1]);
        if (*d >= 0 && *d < cut) return not_whole(a, *d, cut);
        if (*d >= 0) *d -= cut;
    }
    return NF_OK;
}

IR_RULE(matrix_diag)
{
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK - 1))) return st;
    ir_rule_copy(out, a, 0);
    if (out->rank == 1) ir_rule_mix(out);
    out->dim[out->rank] = out->dim[out->rank - 1];
    out->rank++;
    return NF_OK;
}

IR_RULE(matrix_set_diag)
{
    const ir_tensor *x = ir_rule_in(a, 0), *d = ir_rule_in(a, 1);
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 2, ENG_MAX_RANK)) ||
        (st = ir_rule_rank(a, 1, x->rank - 1, x->rank - 1)))
        return st;
    const int64_t p = x->dim[x->rank - 2], q = x->dim[x->rank - 1];
    ir_rule_copy(out, a, 0);
    if (x->rank == 2) ir_rule_mix(out);
    for (int i = 0; i < d->rank; i++) {
        const int64_t want = i < d->rank - 1 ? x->dim[i] : p < q ? p : q;
        if (want >= 0 && d->dim[i] >= 0 && want != d->dim[i] &&
            (i < d->rank - 1 || (p >= 0 && q >= 0)))
            return not_whole(a, want, d->dim[i]);
        if (i == 0 && want != d->dim[0]) ir_rule_mix(out);
    }
    return NF_OK;
}

/* As many segments as the last id says. */
IR_RULE(segment_sum)
{
    const ir_tensor *x = ir_rule_in(a, 0), *ids = ir_rule_in(a, 1);
    int64_t last = -1;
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK)) || (st = ir_rule_rank(a, 1, 1, 1))) return st;
    if (ids->dtype != ENG_I32 && ids->dtype != ENG_I64) return not_whole(a, 0, 0);
    if (ids->dim[0] >= 0 && x->dim[0] >= 0 && ids->dim[0] != x->dim[0])
        return not_whole(a, x->dim[0], ids->dim[0]);
    ir_rule_copy(out, a, 0);
    out->dim[0] = IR_FREE;
    if (!ids->data || ids->dim[0] < 0) return NF_OK;
    for (int64_t i = 0; i < ids->dim[0]; i++) {
        int64_t id;
        ir_const_ints(&id, ids, (size_t)i, 1);
        if (id < last || id < 0 || id >= (int64_t)IR_MAX_ELEMS)
            return nf_fail(a->err, NF_EFORMAT, a->where, "SEGMENT_SUM with id %lld after %lld",
                           (long long)id, (long long)last);
        last = id;
    }
    out->dim[0] = last + 1;
    return NF_OK;
}

IR_RULE(update_slice)
{
    const ir_tensor *x = ir_rule_in(a, 0), *u = ir_rule_in(a, 1), *at = ir_rule_in(a, 2);
    nf_status st;
    if ((st = ir_rule_rank(a, 1, x->rank, x->rank)) || (st = ir_rule_rank(a, 2, 1, 1))) return st;
    if ((at->dtype != ENG_I32 && at->dtype != ENG_I64) ||
        (at->dim[0] >= 0 && at->dim[0] != x->rank))
        return not_whole(a, x->rank, at->dim[0]);
    for (int i = 0; i < x->rank; i++)
        if (x->dim[i] >= 0 && u->dim[i] > x->dim[i]) return not_whole(a, x->dim[i], u->dim[i]);
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    return NF_OK;
}

/* shape_ml.c - the shape rules of ops_ml.h. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

#include "engine/base/letters.h"

/* Rows of [rows, columns]; one of columns alone. */
static nf_status rows_of(int64_t *rows, const ir_rule *a)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    const nf_status st = ir_rule_rank(a, 0, 1, 2);
    if (st) return st;
    if (x->rank == 1 && x->dim[0] == IR_BATCH)
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s of a list of open length",
                       ir_op_name(a->node->op));
    *rows = x->rank == 2 ? x->dim[0] : 1;
    return NF_OK;
}

IR_RULE(scores)
{
    int64_t rows;
    const nf_status st = rows_of(&rows, a);
    if (st) return st;
    if (a->node->attr.ml.outputs < 1)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s of %lld outputs", ir_op_name(a->node->op),
                       (long long)a->node->attr.ml.outputs);
    *out = (ir_shape){2, {rows, a->node->attr.ml.outputs}};
    return NF_OK;
}

/* Labels, and beside them scores when they are wanted. */
IR_RULE(classifier)
{
    ir_shape scores;
    const nf_status st = ir_rule_scores(&scores, a);
    if (st) return st;
    out[0] = (ir_shape){1, {scores.dim[0]}};
    if (a->node->n_out > 1) out[1] = scores;
    return NF_OK;
}

/* Works along the last axis, which has `n` parameters or one for all. */
IR_RULE(columns)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    const nf_status st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK);
    if (st) return st;
    const int64_t columns = x->dim[x->rank - 1];
    for (int32_t i = 1; i < a->node->n_in; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        const int64_t n = t->rank == 1 ? t->dim[0] : -1;
        if (n != 1 && (n < 1 || (columns >= 0 && n != columns)))
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s has %lld parameters for %lld columns",
                           ir_op_name(a->node->op), (long long)n, (long long)columns);
    }
    ir_rule_copy(out, a, 0);
    if (x->rank == 1) ir_rule_mix(out);
    return NF_OK;
}

static const int64_t *constant_list(size_t *n, const ir_tensor *t)
{
    *n = t->bytes / sizeof(int64_t);
    return t->dtype == ENG_I64 ? (const int64_t *)(const void *)t->data : NULL;
}

IR_RULE(join_columns)
{
    const int32_t parts = a->node->n_in - 1;
    const ir_tensor *widths = ir_rule_in(a, parts);
    size_t n;
    const int64_t *width = constant_list(&n, widths);
    int64_t rows, columns = 0;
    nf_status st;
    if (!width || n != (size_t)parts)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%zu widths for %d inputs", n, parts);
    if ((st = rows_of(&rows, a))) return st;
    for (int32_t i = 0; i < parts; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        const int64_t own = t->rank == 2 ? t->dim[0] : t->rank == 1 ? 1 : 0;
        if (width[i] < 0 || (own != rows && (own >= 0 || rows >= 0)))
            return nf_fail(a->err, NF_EFORMAT, a->where, "part %d of %lld rows and width %lld", i,
                           (long long)own, (long long)width[i]);
        columns = ir_dim_add(columns, width[i]);
    }
    *out = (ir_shape){2, {rows, columns}};
    return NF_OK;
}

static nf_status pick_apart(ir_shape *out, const ir_rule *a)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    for (int i = 0; i < x->rank - 1; i++)
        if (x->dim[i] != 1)
            return nf_fail(a->err, NF_EFORMAT, a->where, "PICK_COLUMNS of more than one row");
    ir_rule_copy(out, a, 1);
    return NF_OK;
}

/* [.., columns] and any number of places: [.., places]; one row becomes [1, places]. */
IR_RULE(pick_columns)
{
    const ir_tensor *y = ir_rule_in(a, 1);
    const int rank = ir_rule_in(a, 0)->rank;
    int64_t places = 1;
    const nf_status st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK);
    if (st) return st;
    if (a->node->attr.ml.flag) return pick_apart(out, a);
    for (int i = 0; i < y->rank; i++)
        places = ir_dim_mul(places, y->dim[i]);
    ir_rule_copy(out, a, 0);
    if (rank == 1) *out = (ir_shape){2, {1, 0}};
    out->dim[out->rank - 1] = places;
    /* places that go with the rows of the batch, or columns that do */
    if (y->rank > 0 && y->dim[0] == IR_BATCH) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(one_hot_keys)
{
    const nf_status st = ir_rule_rank(a, 0, 0, ENG_MAX_RANK - 1);
    if (st) return st;
    ir_rule_copy(out, a, 0);
    out->dim[out->rank++] = ir_rule_in(a, 1)->rank == 1 ? ir_rule_in(a, 1)->dim[0] : IR_FREE;
    return NF_OK;
}

/* How many texts of x are none of the words. */
static int64_t count_left(const ir_tensor *x, const ir_tensor *words, bool any_case)
{
    const nf_span *text = (const nf_span *)(const void *)x->data;
    const nf_span *word = (const nf_span *)(const void *)(words ? words->data : NULL);
    const int64_t n = x->dim[x->rank - 1], n_words = words ? words->dim[0] : 0;
    int64_t left = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t k = 0;
        while (k < n_words && !nf_texts_equal(text[i], word[k], any_case))
            k++;
        left += k == n_words;
    }
    return left;
}

/* The texts decide how many are left, and how much memory the new ones take: both are known only
 * with the values. Of none that are left one empty text remains. */
IR_RULE(string_normalizer)
{
    const ir_tensor *x = ir_rule_in(a, 0), *words = ir_rule_in(a, 1);
    const nf_status st = ir_rule_rank(a, 0, 1, 2);
    if (st) return st;
    if ((x->rank == 2 && x->dim[0] != 1) || (words && (words->rank != 1 || words->dim[0] < 0)))
        return nf_fail(a->err, NF_EFORMAT, a->where, "STRING_NORMALIZER of more than one list");
    if (x->dtype != ENG_STR || (words && words->dtype != ENG_STR))
        return nf_fail(a->err, NF_EFORMAT, a->where, "STRING_NORMALIZER of %s",
                       eng_dtype_oip(x->dtype));
    ir_rule_copy(out, a, 0);
    out->dim[out->rank - 1] = IR_FREE;
    if (!x->data || !ir_shape_known(x) || (words && !words->data)) return NF_OK;
    const int64_t left = count_left(x, words, !a->node->attr.ml.flag);
    out->dim[out->rank - 1] = left ? left : 1;
    return NF_OK;
}

/* op_keys.c - tables of keys (label encoders, one-hot encoders), and text. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/base/letters.h"
#include "engine/base/mem.h"
#include "engine/kernels/krn_ml.h"
#include "engine/plan/layer.h"

typedef struct table {
    krn_keys keys;
    int64_t *made; /* owned: floats as keys */
} table;

static void fini(void *own)
{
    table *t = own;
    krn_keys_free(&t->keys);
    nf_free(t->made);
}

static nf_status wrong(const plan_layer *l, const ir_graph *g, const char *what, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s of %s: %s",
                   ir_op_name(l->node->op), eng_dtype_oip(plan_in(l, g, 0)->dtype), what);
}

static int64_t key_at(const void *x, eng_dtype type, size_t i)
{
    if (type == ENG_F32) return krn_key_of_f32(((const float *)x)[i]);
    if (type == ENG_F64) return krn_key_of_f64(((const double *)x)[i]);
    return ((const int64_t *)x)[i];
}

static nf_status build(table *t, const ir_tensor *keys, size_t n, nf_error *err)
{
    const void *data = keys->data;
    if (keys->dtype == ENG_STR) return krn_keys_of_spans(&t->keys, data, n, err);
    if (keys->dtype == ENG_I64) return krn_keys_of_ints(&t->keys, data, n, err);
    t->made = nf_alloc_array(n + 1, sizeof(*t->made), NF_MEM_WEIGHTS);
    if (!t->made) return nf_fail(err, NF_ENOMEM, keys->name, "no memory for %zu keys", n);
    for (size_t i = 0; i < n; i++)
        t->made[i] = key_at(data, keys->dtype, i);
    return krn_keys_of_ints(&t->keys, t->made, n, err);
}

static nf_status make_table(plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0), *keys = plan_in(l, g, 1);
    const eng_dtype d = keys->dtype;
    size_t n;
    if (!keys->data || keys->rank != 1 || !ir_elems(&n, keys, 1) || d != x->dtype ||
        (d != ENG_STR && d != ENG_I64 && d != ENG_F32 && d != ENG_F64))
        return wrong(l, g, "its keys are no list of the same type", err);
    table *t = l->own = nf_alloc(sizeof(*t), NF_MEM_GRAPH);
    if (!t) return nf_fail(err, NF_ENOMEM, keys->name, "no memory for a table");
    l->own_fini = fini;
    const nf_status st = build(t, keys, n, err);
    l->weight_bytes = st ? 0 : (t->keys.mask + 1) * sizeof(*t->keys.slot);
    return st;
}

PLAN_PREPARE(plan_map_keys)
{
    const ir_tensor *keys = plan_in(l, g, 1), *values = plan_in(l, g, 2), *other = plan_in(l, g, 3);
    const eng_dtype y = plan_out(l, g, 0)->dtype;
    size_t n, n_other;
    (void)env;
    if (!values->data || !other->data || values->dtype != y || other->dtype != y ||
        !ir_elems(&n, values, 1) || !ir_elems(&n_other, other, 1) || n_other != 1 ||
        (int64_t)n != keys->dim[0])
        return wrong(l, g, "its values are no list of the result's type, one for each key", err);
    return make_table(l, g, err);
}

PLAN_PREPARE(plan_one_hot_keys)
{
    (void)env;
    if (plan_out(l, g, 0)->dtype != ENG_F32) return wrong(l, g, "the result is not FP32", err);
    return make_table(l, g, err);
}

PLAN_BIND(plan_bind_keys)
{
    (void)err;
    (void)out;
    s->u.elems = in->elems;
    s->scratch_bytes = in->elems * sizeof(size_t);
    return NF_OK;
}

/* The position of every x in the list of keys. */
static const size_t *find_all(const plan_step *s)
{
    const krn_keys *k = &((const table *)s->layer->own)->keys;
    const eng_dtype type = plan_in(s->layer, s->layer->owner->g, 0)->dtype;
    size_t *at = s->scratch;
    for (size_t i = 0; i < s->u.elems; i++)
        at[i] = type == ENG_STR ? krn_keys_find_span(k, ((const nf_span *)s->a)[i])
                                : krn_keys_find_int(k, key_at(s->a, type, i));
    return at;
}

PLAN_RUN(plan_run_map_keys)
{
    const size_t n = ((const table *)s->layer->own)->keys.n;
    const eng_dtype y = plan_out(s->layer, s->layer->owner->g, 0)->dtype;
    krn_map_ref(s->y, find_all(s), s->u.elems, s->in[2], n, s->in[3], eng_dtype_size(y));
}

PLAN_RUN(plan_run_one_hot_keys)
{
    const size_t n = ((const table *)s->layer->own)->keys.n;
    const size_t *at = find_all(s);
    krn_ml_one_hot_ref(s->y, at, s->u.elems, n);
    if (s->layer->node->attr.ml.flag) return;
    for (size_t i = 0; i < s->u.elems; i++)
        if (at[i] == n)
            plan_fail(s, NF_EINVAL, plan_out(s->layer, s->layer->owner->g, 0)->name,
                      "value %zu is none of the %zu categories", i, n);
}

PLAN_PREPARE(plan_texts)
{
    const ir_tensor *words = plan_in(l, g, 1);
    (void)env;
    if (words && !words->data) return wrong(l, g, "its words are computed", err);
    return NF_OK;
}

/* The texts are known while binding (ir_rule_string_normalizer sees to it); new ones take as many
 * bytes and live on the program's heap. */
PLAN_BIND(plan_bind_string_normalizer)
{
    const nf_span *x = s->in[0];
    size_t bytes = 0;
    s->u.ml.rows = in[0].elems;
    s->u.ml.cols = s->layer->node->n_in > 1 ? in[1].elems : 0;
    s->u.ml.outputs = out->elems;
    for (size_t i = 0; x && i < in->elems; i++)
        if (!nf_add_size(&bytes, bytes, x[i].len))
            return nf_fail(err, NF_ETOOLARGE, "text", "too long");
    return plan_bind_alloc(s, bytes + 1, err);
}

static bool is_word(const plan_step *s, nf_span text)
{
    const nf_span *word = s->b;
    for (size_t i = 0; i < s->u.ml.cols; i++)
        if (nf_texts_equal(text, word[i], !s->layer->node->attr.ml.flag)) return true;
    return false;
}

PLAN_RUN(plan_run_string_normalizer)
{
    const int letters = s->layer->node->attr.ml.mode;
    const nf_span *x = s->a;
    nf_span *y = s->y;
    char *text = s->bound;
    size_t n = 0;
    for (size_t i = 0; i < s->u.ml.rows; i++) {
        if (is_word(s, x[i])) continue;
        y[n] = x[i];
        if (letters != IR_LETTERS_KEEP) {
            nf_letters(text, x[i], letters == IR_LETTERS_UPPER);
            y[n].s = text;
            text += x[i].len;
        }
        n++;
    }
    for (; n < s->u.ml.outputs; n++)
        y[n] = (nf_span){"", 0};
}

/* svm_build.c - support vector machines from the attributes of a file. Layer: kernels. Thread rule:
 * one thread builds one machine. */
#include "engine/kernels/krn_svm.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#define WHERE        "support vector machine"
#define MOST_CLASSES 4096 /* pairs and couplings take their square */

static size_t pairs(size_t n)
{
    return n * (n - 1) / 2;
}

static nf_status copy(float **to, krn_floats from, nf_error *err)
{
    *to = nf_alloc_array(from.n + 1, sizeof(**to), NF_MEM_WEIGHTS);
    if (!*to) return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu numbers", from.n);
    if (from.n) memcpy(*to, from.v, from.n * sizeof(**to));
    return NF_OK;
}

/* Where the vectors of each class begin; how many there are. */
static nf_status count_vectors(krn_svm *s, const krn_svm_attrs *a, nf_error *err)
{
    if (a->n_per_class && a->n_per_class != a->n_labels)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu labels, vectors of %zu classes", a->n_labels,
                       a->n_per_class);
    s->first = nf_alloc_array(s->n_classes + 1, sizeof(*s->first), NF_MEM_WEIGHTS);
    if (!s->first) return nf_fail(err, NF_ENOMEM, WHERE, "no memory");
    for (size_t i = 0; i < a->n_per_class; i++) {
        const int64_t n = a->vectors_per_class[i];
        if (n < 0 || (uint64_t)n > a->vectors.n - s->first[i])
            return nf_fail(err, NF_EFORMAT, WHERE, "class %zu has %lld vectors", i, (long long)n);
        s->first[i + 1] = s->first[i] + (size_t)n;
    }
    s->n_vectors = a->n_per_class ? s->first[s->n_classes] : 0;
    return NF_OK;
}

static nf_status check_classifier(krn_svm *s, const krn_svm_attrs *a, nf_error *err)
{
    const size_t n = s->n_classes, p = pairs(n);
    if (n < 2 || n > MOST_CLASSES) return nf_fail(err, NF_EFORMAT, WHERE, "%zu class labels", n);
    const nf_status st = count_vectors(s, a, err);
    if (st != NF_OK) return st;
    if (s->n_vectors == 0) {
        s->n_features = a->coefficients.n / n;
        if (s->n_features == 0 || a->coefficients.n % n || a->rho.n == 0 || a->prob_a.n)
            return nf_fail(err, NF_EFORMAT, WHERE, "%zu coefficients for %zu classes",
                           a->coefficients.n, n);
        return NF_OK;
    }
    if (a->coefficients.n / s->n_vectors < n - 1 || a->rho.n < p)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu coefficients and %zu rho for %zu classes",
                       a->coefficients.n, a->rho.n, n);
    if (a->prob_a.n != a->prob_b.n || (a->prob_a.n && a->prob_a.n < p))
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu prob_a and %zu prob_b for %zu classes",
                       a->prob_a.n, a->prob_b.n, n);
    return NF_OK;
}

static nf_status check_regressor(krn_svm *s, const krn_svm_attrs *a, nf_error *err)
{
    const uint64_t n = (uint64_t)a->n_supports;
    if (a->n_supports < 0 || n > a->coefficients.n || a->coefficients.n == 0 || a->rho.n == 0)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu coefficients and %zu rho for %lld vectors",
                       a->coefficients.n, a->rho.n, (long long)a->n_supports);
    s->n_vectors = (size_t)n;
    if (n == 0) s->n_features = a->coefficients.n;
    return NF_OK;
}

/* Vectors stand one after the other in the file; here one feature after the other. */
static nf_status put_vectors(krn_svm *s, const krn_svm_attrs *a, nf_error *err)
{
    const size_t n = s->n_vectors;
    if (n == 0) return NF_OK;
    s->n_features = a->vectors.n / n;
    if (s->n_features == 0 || a->vectors.n % n)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu numbers for %zu vectors", a->vectors.n, n);
    s->vectors = nf_alloc_array(a->vectors.n, sizeof(*s->vectors), NF_MEM_WEIGHTS);
    if (!s->vectors) return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu vectors", n);
    for (size_t v = 0; v < n; v++)
        for (size_t f = 0; f < s->n_features; f++)
            s->vectors[f * n + v] = a->vectors.v[v * s->n_features + f];
    return NF_OK;
}

static nf_status check_params(krn_svm *s, const krn_svm_attrs *a, nf_error *err)
{
    if (a->kernel_params.n && a->kernel_params.n < 3)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu parameters of a kernel", a->kernel_params.n);
    if ((unsigned)a->kernel > KRN_SVM_SIGMOID || (unsigned)a->post > KRN_POST_PROBIT)
        return nf_fail(err, NF_EFORMAT, WHERE, "unknown kernel or transform");
    if (a->kernel_params.n == 0) return NF_OK;
    s->gamma = a->kernel_params.v[0];
    s->coef0 = a->kernel_params.v[1];
    s->degree = a->kernel_params.v[2];
    return NF_OK;
}

nf_status krn_svm_make(krn_svm *out, const krn_svm_attrs *a, nf_error *err)
{
    *out = (krn_svm){.kernel = a->kernel,
                     .n_classes = a->n_labels,
                     .one_class = a->one_class,
                     .post = a->post,
                     .all_positive = true};
    nf_status st = check_params(out, a, err);
    if (st == NF_OK)
        st = a->n_labels ? check_classifier(out, a, err) : check_regressor(out, a, err);
    if (st == NF_OK) st = put_vectors(out, a, err);
    if (st == NF_OK) st = copy(&out->coefficients, a->coefficients, err);
    if (st == NF_OK) st = copy(&out->rho, a->rho, err);
    if (st == NF_OK && a->prob_a.n) st = copy(&out->prob_a, a->prob_a, err);
    if (st == NF_OK && a->prob_b.n) st = copy(&out->prob_b, a->prob_b, err);
    if (out->n_vectors == 0) out->kernel = KRN_SVM_LINEAR;
    for (size_t i = 0; i < a->coefficients.n; i++)
        if (!(a->coefficients.v[i] >= 0)) out->all_positive = false;
    return st;
}

void krn_svm_free(krn_svm *s)
{
    void *all[] = {s->vectors, s->coefficients, s->rho, s->prob_a, s->prob_b, s->first};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        nf_free(all[i]);
    *s = (krn_svm){0};
}

size_t krn_svm_columns(const krn_svm *s)
{
    if (s->n_vectors == 0 || s->prob_a || s->n_classes == 2) return s->n_classes;
    return pairs(s->n_classes);
}

size_t krn_svm_scratch(const krn_svm *s)
{
    const size_t n = s->n_classes;
    if (n == 0) return s->n_vectors;
    return s->n_vectors + pairs(n) + n + (s->prob_a ? 2 * n * n + n : 0);
}

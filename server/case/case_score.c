/* case_score.c - a table of truth against answer, and its averages. Layer: server/case. Thread
 * rule: one owner. */
#include "server/case/case_score.h"

#include "engine/base/mem.h"

#include <assert.h>

nf_status srv_scores_init(srv_scores *s, size_t n_classes, nf_error *err)
{
    *s = (srv_scores){0};
    if (n_classes == 0 || n_classes > SRV_SCORE_MAX_CLASSES)
        return nf_fail(err, NF_ETOOLARGE, "labels", "expected 1 to %d classes, got %zu",
                       SRV_SCORE_MAX_CLASSES, n_classes);
    s->count = nf_alloc_array(n_classes * n_classes, sizeof(*s->count), NF_MEM_MISC);
    if (!s->count) return nf_fail(err, NF_ENOMEM, "labels", "no memory");
    s->n_classes = n_classes;
    return NF_OK;
}

void srv_scores_fini(srv_scores *s)
{
    nf_free(s->count);
    *s = (srv_scores){0};
}

void srv_scores_add(srv_scores *s, size_t truth, size_t answer)
{
    assert(truth < s->n_classes && answer < s->n_classes);
    s->count[truth * s->n_classes + answer]++;
    s->rows++;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

srv_score srv_scores_of(const srv_scores *s)
{
    srv_score sum = {0};
    double seen = 0, right = 0;
    for (size_t c = 0; c < s->n_classes; c++) {
        double truth = 0, answered = 0;
        for (size_t other = 0; other < s->n_classes; other++) {
            truth += (double)s->count[c * s->n_classes + other];
            answered += (double)s->count[other * s->n_classes + c];
        }
        if (truth + answered == 0) continue;
        const double hit = (double)s->count[c * s->n_classes + c];
        const double precision = share(hit, answered), recall = share(hit, truth);
        right += hit;
        seen++;
        sum.precision += precision;
        sum.recall += recall;
        sum.f1 += share(2 * precision * recall, precision + recall);
    }
    return (srv_score){share(right, (double)s->rows), share(sum.precision, seen),
                       share(sum.recall, seen), share(sum.f1, seen)};
}

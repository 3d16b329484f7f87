/* scores.c - accuracy, precision, recall. Layer: clients. Thread rule: one owner. */
#include "clients/lib/scores.h"

#include <stdio.h>

static size_t find(cl_scores *s, const char *label)
{
    size_t i = 0;
    while (i < s->n && strcmp(s->of[i].label, label) != 0)
        i++;
    if (i == s->n && s->n < CL_CLASSES_MOST)
        snprintf(s->of[s->n++].label, sizeof(s->of[0].label), "%s", label);
    return i;
}

void cl_scores_add(cl_scores *s, const char *truth, const cl_answer *a)
{
    char said[64];
    size_t best = 0;
    for (size_t i = 1; a->rows && i < a->n_values / a->rows; i++)
        if (a->value[i] > a->value[best]) best = i;
    snprintf(said, sizeof(said), "%zu", best);
    const size_t t = find(s, truth);
    const size_t p = find(s, a->labelled ? a->label : said);
    s->asked++;
    if (t >= CL_CLASSES_MOST || p >= CL_CLASSES_MOST) {
        s->lost++;
        return;
    }
    s->of[t].truly++;
    s->of[p].said++;
    s->of[t].both += t == p;
    s->right += t == p;
}

double cl_scores_accuracy(const cl_scores *s)
{
    return s->asked ? (double)s->right / (double)s->asked : 0;
}

/* The mean over true classes of both / what `per_said` picks. */
static double mean_share(const cl_scores *s, bool per_said)
{
    double sum = 0;
    size_t classes = 0;
    for (size_t i = 0; i < s->n; i++) {
        const uint64_t whole = per_said ? s->of[i].said : s->of[i].truly;
        if (!s->of[i].truly) continue;
        classes++;
        if (whole) sum += (double)s->of[i].both / (double)whole;
    }
    return classes ? sum / (double)classes : 0;
}

double cl_scores_precision(const cl_scores *s)
{
    return mean_share(s, true);
}

double cl_scores_recall(const cl_scores *s)
{
    return mean_share(s, false);
}

/* scores.h - answers against the truth of a labelled set. Layer: clients. Thread rule: one owner.
 */
#ifndef CL_SCORES_H
#define CL_SCORES_H

#include "clients/lib/answer.h"

#define CL_CLASSES_MOST 256

typedef struct cl_scores {
    uint64_t asked, right;
    uint64_t lost; /* answers of a class beyond CL_CLASSES_MOST: only in asked */
    size_t n;      /* classes seen */
    struct {
        char label[64];
        uint64_t truly, said, both; /* it was this; it was called this; both */
    } of[CL_CLASSES_MOST];
} cl_scores;

/** Adds the first instance of an answer; without labels its class is the place of the largest
 * value. */
void cl_scores_add(cl_scores *s, const char *truth, const cl_answer *a);

/** right / asked; 0 when nothing was asked. */
double cl_scores_accuracy(const cl_scores *s);

/** Means over the classes that are in the set. A class that was never said has precision 0. */
double cl_scores_precision(const cl_scores *s);
double cl_scores_recall(const cl_scores *s);

#endif /* CL_SCORES_H */

/* case_score.h - accuracy, precision, recall and F1 of a classifier. Layer: server/case. Thread
 * rule: one owner. */
#ifndef SRV_CASE_SCORE_H
#define SRV_CASE_SCORE_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SRV_SCORE_MAX_CLASSES 4096

typedef struct srv_scores {
    size_t n_classes;
    uint64_t *count; /* owned; [truth][answer] */
    uint64_t rows;
} srv_scores;

/* Macro averages: over the classes that occur as truth or as answer; a class that was never
 * answered has precision 0, one that never occurs recall 0, and F1 is 0 where both are. */
typedef struct srv_score {
    double accuracy, precision, recall, f1;
} srv_score;

/** n_classes: 1 .. SRV_SCORE_MAX_CLASSES. NF_ETOOLARGE, NF_ENOMEM. */
nf_status srv_scores_init(srv_scores *s, size_t n_classes, nf_error *err);
void srv_scores_fini(srv_scores *s);

/** Counts one row; both are below n_classes. */
void srv_scores_add(srv_scores *s, size_t truth, size_t answer);

/** All 0 where nothing was counted. */
srv_score srv_scores_of(const srv_scores *s);

#endif /* SRV_CASE_SCORE_H */

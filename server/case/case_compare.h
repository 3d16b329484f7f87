/* case_compare.h - how far apart two tensors are. Layer: server/case. Thread rule: pure. */
#ifndef SRV_CASE_COMPARE_H
#define SRV_CASE_COMPARE_H

#include "server/case/case.h"

typedef struct srv_diff {
    size_t elems;
    size_t equal;     /* the same value, bit for bit; two NaN are the same */
    size_t outside;   /* over the tolerance */
    double worst;     /* largest |want - got|; INFINITY where NaN or infinity meets anything else */
    size_t first;     /* index of the first element over the tolerance; where outside > 0 */
    double want, got; /* its values, where they are numbers */
    bool texts;
    char want_text[64], got_text[64]; /* its values, where they are texts; cut */
} srv_diff;

/** FP32 and FP64, FP16 and BF16. */
bool srv_is_real(eng_dtype t);

/** Compares two tensors of the same dtype and element count. Integers are compared as
 * integers, so that 64 bits count in full. */
srv_diff srv_compare(const srv_recorded *want, const srv_recorded *got,
                     srv_case_tolerance tolerance);

/** Adds one more comparison; `first`, `want` and `got` stay those of the first that failed. */
void srv_diff_merge(srv_diff *into, const srv_diff *more);

/** Do the shapes agree, size by size? */
bool srv_same_shape(const srv_recorded *a, const srv_recorded *b);

/** Writes "[1, 3]" into out. */
void srv_dims_text(char *out, size_t size, const int64_t *dim, int rank);

#endif /* SRV_CASE_COMPARE_H */

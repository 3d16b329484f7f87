/* krn_attention.h - one head of attention in float. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_ATTENTION_H
#define KRN_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct krn_attention {
    size_t q_len, kv_len, d, dv;
    size_t step_q, step_y;      /* from row to row */
    float scale, softcap;       /* softcap 0: none */
    const float *bias;          /* [q_len, bias_len], added; NULL = none */
    const uint8_t *mask;        /* the same as truth: 0 is not looked at; NULL = none */
    size_t bias_len, bias_step; /* what lies behind bias_len is not looked at; step 0: one row */
    size_t valid;               /* of kv_len */
    bool causal;
    ptrdiff_t offset; /* causal: row i looks at columns up to i + offset */
    int mode;         /* of products, see ATTENTION */
} krn_attention;

/* y[i] = sum of softmax(q[i] . k[j] * scale)[j] * v[j]; k [kv_len, d], v [kv_len, dv]. A row that
 * may look at nothing is 0. scores: [kv_len]; products [q_len, kv_len] may be NULL. */
void krn_f32_attention_ref(float *y, float *products, const float *q, const float *k,
                           const float *v, float *scores, const krn_attention *p);

#endif /* KRN_ATTENTION_H */

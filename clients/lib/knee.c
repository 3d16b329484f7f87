/* knee.c - finds the knee of a sweep. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/knee.h"

size_t cl_knee_find(const cl_knee_step *step, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        const cl_knee_step *a = &step[i];
        const cl_knee_step *b = &step[i + 1];
        if (!(a->p95_ns > 0 && b->p95_ns > 0 && a->rate > 0)) return n;
        if (b->p95_ns / a->p95_ns > b->rate / a->rate) return i;
    }
    return n;
}

/* clock.h - monotonic time. Layer: base. Thread rule: any thread. */
#ifndef NF_CLOCK_H
#define NF_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds on the monotonic clock; only differences mean anything. */
static inline uint64_t nf_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** Microseconds on the monotonic clock. */
static inline uint64_t nf_now_us(void)
{
    return nf_now_ns() / 1000u;
}

#endif /* NF_CLOCK_H */

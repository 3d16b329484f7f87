/* checkkern.h - helpers of the kernel tests: guarded buffers, tiers, timing. Layer: tests. */
#ifndef CHECKKERN_H
#define CHECKKERN_H

#include "tests/support/support.h"

#include "engine/kernels/cpu.h"

/* One row for each instruction set; a tier that the CPU lacks is named, never silently skipped. */
typedef struct check_tier {
    const char *name;
    unsigned bits;
} check_tier;

extern const check_tier check_tiers[];
extern const size_t check_n_tiers;

/** True when this CPU can run the tier. */
bool check_can_run(const check_tier *t);

/* Rounds of a random test: NF_CHECK_ROUNDS=10 runs ten times as many. */
#define CHECK_ROUNDS(n) ((uint64_t)(n)*check_more_rounds())
uint64_t check_more_rounds(void);

/** Prints one line for each tier that this CPU cannot run. */
void check_name_missing(void);

/* Memory between two unreadable pages, at the end or at the start of what lies between them: one
 * byte too far is a crash. */
typedef struct check_guard {
    void *base, *data;
    size_t mapped;
} check_guard;

check_guard check_guard_make(size_t bytes);       /* ends where a page begins */
check_guard check_guard_make_front(size_t bytes); /* begins where a page ends */
void check_guard_free(check_guard *g);

/** Median microseconds of `runs` calls of fn(user). */
double check_time_us(void (*fn)(void *user), void *user, int runs);

#endif /* CHECKKERN_H */

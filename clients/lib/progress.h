/* progress.h - one line on a terminal that says how far a run is. Layer: clients. Thread rule: one
 * thread. Writes to stderr, and only when that is a terminal. */
#ifndef CL_PROGRESS_H
#define CL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cl_progress {
    bool on;
    uint64_t last_ns;
} cl_progress;

void cl_progress_init(cl_progress *p, bool quiet);

/** Replaces the line, at most ten times a second. */
void cl_progress_show(cl_progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Clears the line. */
void cl_progress_end(cl_progress *p);

#endif /* CL_PROGRESS_H */

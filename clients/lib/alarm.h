/* alarm.h - a call-back at a moment of the monotonic clock, to the resolution of the kernel's high
 * resolution timers; libuv's own timers are whole milliseconds. Layer: clients. Thread rule: the
 * loop's thread only. */
#ifndef CL_ALARM_H
#define CL_ALARM_H

#include "engine/base/err.h"

#include <uv.h>

typedef void (*cl_alarm_fn)(void *user);

typedef struct cl_alarm {
    int fd;
    cl_alarm_fn fn;
    void *user;
    uv_poll_t poll;
} cl_alarm;

/** Heap-allocated: it outlives cl_alarm_close until the loop has closed it. NF_EIO, NF_ENOMEM. */
nf_status cl_alarm_open(cl_alarm **out, uv_loop_t *loop, cl_alarm_fn fn, void *user, nf_error *err);

/** Calls back once at `at_ns`, at once when that is past; replaces the moment set before. */
void cl_alarm_set(cl_alarm *a, uint64_t at_ns);

/** Accepts a pointer to NULL; the loop must run once more. */
void cl_alarm_close(cl_alarm **a);

#endif /* CL_ALARM_H */

/* host_facts.h - what this host can emulate and measure, one row a fact. Layer: clients.
 * Thread rule: one thread; it forks for a moment. */
#ifndef CL_HOST_FACTS_H
#define CL_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cl_host_fact {
    const char *name; /* "netem" */
    const char *use;  /* what it is for */
    bool fine;
    char found[240]; /* what is there, or why it is not */
    char cure[160];  /* what to do; "" when it is fine */
} cl_host_fact;

#define CL_HOST_FACTS_MOST 16

/** Looks; the number of facts. Changes nothing on the host: devices and queues are tried in a
 * network namespace of a child process. Takes about a tenth of a second. */
size_t cl_host_facts_get(cl_host_fact facts[CL_HOST_FACTS_MOST]);

#endif /* CL_HOST_FACTS_H */

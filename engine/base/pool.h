/* pool.h - a few threads that share one piece of work at a time. Layer: base.
 * Thread rule: a pool belongs to one thread at a time, which takes part in the work. */
#ifndef NF_POOL_H
#define NF_POOL_H

#include "engine/base/err.h"

#include <stddef.h>

#define NF_POOL_MOST 64 /* threads, the caller's among them */

typedef struct nf_pool nf_pool;

/** Starts threads - 1 workers, which sleep; threads: 1 .. NF_POOL_MOST. NF_EINVAL, NF_ENOMEM,
 * NF_EIO (no thread could be started). */
nf_status nf_pool_create(nf_pool **out, size_t threads, nf_error *err);

/**
 * Calls fn(user, 0) in the calling thread and fn(user, lane), lane 1 .. threads - 1, in every
 * worker that comes before that call has returned; returns when all of them have. So fn takes its
 * pieces from a counter until none is left, and a worker that the system does not run in time costs
 * nothing. Workers that were busy a moment ago are awake; others take some 50 microseconds.
 * Allocates nothing.
 */
void nf_pool_run(nf_pool *p, void (*fn)(void *user, size_t lane), void *user);

/** Ends the workers, frees, sets *p to NULL. Accepts NULL and a pointer to NULL. */
void nf_pool_destroy(nf_pool **p);

#endif /* NF_POOL_H */

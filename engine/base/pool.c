/* pool.c - a few threads that share one piece of work at a time. Layer: base.
 * Thread rule: `round` announces work, `door` says whether it may still be joined and by how many
 * it has been; fn and user are written by the owner while the door is shut and nobody is inside. */
#include "engine/base/pool.h"

#include "engine/base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define OPEN  0x80000000u
#define SPINS 4000 /* looks at `round` before a worker sleeps: some tens of microseconds */

typedef struct worker {
    nf_pool *pool;
    size_t lane;
    pthread_t thread;
} worker;

struct nf_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_uint round; /* grows by one for each piece of work */
    atomic_uint door;  /* OPEN, and how many workers are inside */
    bool ends;
    void (*fn)(void *user, size_t lane);
    void *user;
    size_t n_workers;
    worker workers[NF_POOL_MOST - 1];
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Returns when there is a round after `seen`. */
static void wait_for_work(nf_pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&p->round, memory_order_acquire) != seen) return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load_explicit(&p->round, memory_order_acquire) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* False when the work is over. */
static bool enter(nf_pool *p)
{
    unsigned door = atomic_load_explicit(&p->door, memory_order_relaxed);
    while (door & OPEN)
        if (atomic_compare_exchange_weak_explicit(&p->door, &door, door + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void *work(void *arg)
{
    const worker *w = arg;
    nf_pool *p = w->pool;
    unsigned seen = 0;
    for (;;) {
        wait_for_work(p, seen);
        seen = atomic_load_explicit(&p->round, memory_order_acquire);
        if (p->ends) return NULL;
        if (!enter(p)) continue;
        /* while one is inside, no other round begins */
        seen = atomic_load_explicit(&p->round, memory_order_relaxed);
        p->fn(p->user, w->lane);
        atomic_fetch_sub_explicit(&p->door, 1, memory_order_release);
    }
}

static void announce(nf_pool *p)
{
    pthread_mutex_lock(&p->lock); /* no worker is between its last look and its sleep */
    atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

nf_status nf_pool_create(nf_pool **out, size_t threads, nf_error *err)
{
    *out = NULL;
    if (threads < 1 || threads > NF_POOL_MOST)
        return nf_fail(err, NF_EINVAL, "threads", "expected 1 to %d, got %zu", NF_POOL_MOST,
                       threads);
    nf_pool *p = nf_alloc(sizeof(*p), NF_MEM_MISC);
    if (!p) return nf_fail(err, NF_ENOMEM, "threads", "no memory for a pool");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    while (p->n_workers < threads - 1) {
        worker *w = &p->workers[p->n_workers];
        *w = (worker){.pool = p, .lane = p->n_workers + 1};
        if (pthread_create(&w->thread, NULL, work, w)) break;
        p->n_workers++;
    }
    *out = p;
    if (p->n_workers == threads - 1) return NF_OK;
    const size_t started = p->n_workers;
    nf_pool_destroy(out);
    return nf_fail(err, NF_EIO, "threads", "could start %zu of %zu", started + 1, threads);
}

void nf_pool_run(nf_pool *p, void (*fn)(void *user, size_t lane), void *user)
{
    p->fn = fn;
    p->user = user;
    atomic_store_explicit(&p->door, OPEN, memory_order_release);
    if (p->n_workers) announce(p);
    fn(user, 0);
    atomic_fetch_and_explicit(&p->door, ~OPEN, memory_order_relaxed);
    for (int i = 0; atomic_load_explicit(&p->door, memory_order_acquire) != 0; i++)
        if (i < SPINS)
            relax();
        else
            sched_yield(); /* there may be fewer processors than threads */
}

void nf_pool_destroy(nf_pool **p)
{
    nf_pool *dead = p ? *p : NULL;
    if (!dead) return;
    *p = NULL;
    dead->ends = true;
    announce(dead);
    for (size_t i = 0; i < dead->n_workers; i++)
        pthread_join(dead->workers[i].thread, NULL);
    pthread_cond_destroy(&dead->wake);
    pthread_mutex_destroy(&dead->lock);
    nf_free(dead);
}

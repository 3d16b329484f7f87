/* sched.c - bounded queue and workers. Layer: server/sched. Thread rule: everything of the queue is
 * under its mutex, `pending` is atomic. */
#include "server/sched/sched.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef struct worker {
    srv_sched *sched;
    pthread_t thread;
    unsigned slot;
} worker;

struct srv_sched {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    srv_job *first, *last;
    atomic_size_t pending; /* places taken: reserved, waiting or running */
    size_t most;
    atomic_bool cancelled;
    bool stop;
    unsigned n_started;
    char name[12];
    worker workers[];
};

/* The next job, or NULL when the queue is empty and no more will come. */
static srv_job *take(srv_sched *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->first && !s->stop)
        pthread_cond_wait(&s->filled, &s->lock);
    srv_job *job = s->first;
    if (job) s->first = job->next;
    if (!s->first) s->last = NULL;
    pthread_mutex_unlock(&s->lock);
    return job;
}

static void *worker_main(void *arg)
{
    const worker *w = arg;
    srv_sched *s = w->sched;
    for (srv_job *job; (job = take(s));) {
        job->run(job, w->slot,
                 atomic_load(&s->cancelled)); /* the job's memory is gone after this */
        atomic_fetch_sub(&s->pending, 1);
    }
    return NULL;
}

static nf_status start_workers(srv_sched *s, const srv_sched_options *o, nf_error *err)
{
    pthread_attr_t attr;
    nf_status st = NF_OK;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, o->stack_bytes);
    for (; s->n_started < o->threads && !st; s->n_started++) {
        worker *w = &s->workers[s->n_started];
        char name[16];
        *w = (worker){.sched = s, .slot = o->first_slot + s->n_started};
        if (pthread_create(&w->thread, &attr, worker_main, w)) {
            st = nf_fail(err, NF_ENOMEM, "worker threads", "cannot start thread %u of %u",
                         s->n_started + 1, o->threads);
            break;
        }
        snprintf(name, sizeof(name), "%s-%u", s->name, s->n_started % 1000u);
        pthread_setname_np(w->thread, name);
    }
    pthread_attr_destroy(&attr);
    return st;
}

nf_status srv_sched_create(srv_sched **out, const srv_sched_options *o, nf_error *err)
{
    *out = NULL;
    srv_sched *s = nf_alloc(sizeof(*s) + o->threads * sizeof(worker), NF_MEM_MISC);
    if (!s) return nf_fail(err, NF_ENOMEM, "worker threads", "no memory for the queue");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->filled, NULL);
    s->most = o->most;
    snprintf(s->name, sizeof(s->name), "%s", o->name);
    const nf_status st = start_workers(s, o, err);
    if (st) srv_sched_destroy(&s);
    *out = s;
    return st;
}

nf_status srv_sched_reserve(srv_sched *s, nf_error *err)
{
    if (atomic_fetch_add(&s->pending, 1) < s->most) return NF_OK;
    atomic_fetch_sub(&s->pending, 1);
    return nf_fail(err, NF_EBUSY, "queue", "all %zu places are taken, try again", s->most);
}

void srv_sched_submit(srv_sched *s, srv_job *job)
{
    job->next = NULL;
    job->queued_us = nf_now_us();
    pthread_mutex_lock(&s->lock);
    if (s->last)
        s->last->next = job;
    else
        s->first = job;
    s->last = job;
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
}

size_t srv_sched_pending(const srv_sched *s)
{
    return atomic_load_explicit(&((srv_sched *)s)->pending, memory_order_relaxed);
}

void srv_sched_cancel(srv_sched *s)
{
    atomic_store(&s->cancelled, true);
}

void srv_sched_destroy(srv_sched **sp)
{
    srv_sched *s = *sp;
    if (!s) return;
    *sp = NULL;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->filled);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->n_started; i++)
        pthread_join(s->workers[i].thread, NULL);
    pthread_cond_destroy(&s->filled);
    pthread_mutex_destroy(&s->lock);
    nf_free(s);
}

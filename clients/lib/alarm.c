/* alarm.c - timerfd on a libuv loop. Layer: clients. Thread rule: the loop's thread only. */
#include "clients/lib/alarm.h"

#include "engine/base/mem.h"

#include <sys/timerfd.h>
#include <unistd.h>

static void on_ready(uv_poll_t *p, int status, int events)
{
    cl_alarm *a = p->data;
    uint64_t times;
    (void)status;
    (void)events;
    if (read(a->fd, &times, sizeof(times)) < 0) return; /* set anew meanwhile: nothing is due */
    a->fn(a->user);
}

nf_status cl_alarm_open(cl_alarm **out, uv_loop_t *loop, cl_alarm_fn fn, void *user, nf_error *err)
{
    cl_alarm *a = nf_alloc(sizeof(*a), NF_MEM_CLIENT);
    *out = NULL;
    if (!a) return nf_fail(err, NF_ENOMEM, "alarm", "no memory");
    a->fn = fn;
    a->user = user;
    a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (a->fd < 0 || uv_poll_init(loop, &a->poll, a->fd)) {
        if (a->fd >= 0) close(a->fd);
        nf_free(a);
        return nf_fail(err, NF_EIO, "alarm", "no timer");
    }
    a->poll.data = a;
    uv_poll_start(&a->poll, UV_READABLE, on_ready);
    *out = a;
    return NF_OK;
}

void cl_alarm_set(cl_alarm *a, uint64_t at_ns)
{
    const uint64_t at = at_ns ? at_ns : 1; /* 0 would switch the timer off */
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at / 1000000000u), .tv_nsec = (long)(at % 1000000000u)}};
    timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_closed(uv_handle_t *h)
{
    nf_free(h->data);
}

void cl_alarm_close(cl_alarm **ap)
{
    cl_alarm *a = *ap;
    if (!a) return;
    uv_poll_stop(&a->poll);
    close(a->fd);
    uv_close((uv_handle_t *)&a->poll, on_closed);
    *ap = NULL;
}

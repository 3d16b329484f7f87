/* progress.c - the progress line. Layer: clients. Thread rule: one thread. */
#include "clients/lib/progress.h"

#include "engine/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LEAST_NS 100000000u /* between two lines */

void cl_progress_init(cl_progress *p, bool quiet)
{
    *p = (cl_progress){.on = !quiet && isatty(STDERR_FILENO)};
}

void cl_progress_show(cl_progress *p, const char *fmt, ...)
{
    va_list args;
    if (!p->on || nf_now_ns() - p->last_ns < LEAST_NS) return;
    p->last_ns = nf_now_ns();
    fputs("\r\033[K", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fflush(stderr);
}

void cl_progress_end(cl_progress *p)
{
    if (p->on && p->last_ns) fputs("\r\033[K", stderr);
    p->last_ns = 0;
}

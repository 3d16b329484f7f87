/* crossing.c - from the cells of a sweep to the points where the cloud begins to win. Layer:
 * clients. Thread rule: pure functions. */
#include "clients/lib/sweep.h"
#include "clients/lib/text_out.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

typedef struct curve { /* edge minus cloud along an axis on which the cloud gets slower */
    double x[CL_AXIS_MOST], mid[CL_AXIS_MOST], lo[CL_AXIS_MOST], hi[CL_AXIS_MOST];
    size_t n;
} curve;

/* Where y falls through zero, by straight lines between its points; NAN: nowhere. */
static double root(const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (y[i] > 0 && y[i + 1] <= 0) return x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1]);
    return NAN;
}

static void insert(curve *k, double x, const cl_cell *c)
{
    size_t i = k->n++;
    for (; i > 0 && k->x[i - 1] > x; i--) {
        k->x[i] = k->x[i - 1];
        k->mid[i] = k->mid[i - 1];
        k->lo[i] = k->lo[i - 1];
        k->hi[i] = k->hi[i - 1];
    }
    k->x[i] = x;
    k->mid[i] = c->diff_ns;
    k->lo[i] = c->ci.known ? c->ci.lo : c->diff_ns;
    k->hi[i] = c->ci.known ? c->ci.hi : c->diff_ns;
}

/* The cells on one line of the grid. By uplink the axis is seconds a bit, so that straight lines
 * are right: transfer time is proportional to it. Round trips and uplinks with the same value are
 * one place. */
static curve collect(const cl_sweep *s, size_t base, bool by_uplink, int64_t held, cl_cell *any)
{
    curve k = {.n = 0};
    for (size_t i = 0; i < s->n_cells && k.n < CL_AXIS_MOST; i++) {
        const cl_cell *c = &s->cell[i];
        if (c->base != base || (by_uplink ? c->rtt_us : c->up_bps) != held || !c->pairs) continue;
        const double seconds_a_bit = c->up_bps ? 1 / (double)c->up_bps : 0;
        insert(&k, by_uplink ? seconds_a_bit : (double)c->rtt_us, c);
        *any = *c;
    }
    return k;
}

static void add_crossing(cl_sweep *s, size_t base, bool by_uplink, int64_t held)
{
    cl_cell any = {0};
    const curve k = collect(s, base, by_uplink, held, &any);
    if (k.n < 2) return;
    cl_crossing c = {.base = base, .by_uplink = by_uplink, .held = held};
    double at = root(k.x, k.mid, k.n);
    double lo = root(k.x, k.lo, k.n);
    double hi = root(k.x, k.hi, k.n);
    c.kind = isfinite(at) ? CL_CROSSES : k.mid[0] > 0 ? CL_CLOUD_ALWAYS : CL_EDGE_ALWAYS;
    if (by_uplink) { /* back from seconds a bit; the ends change places */
        at = 1 / at;
        const double swapped = 1 / lo;
        lo = 1 / hi;
        hi = swapped;
    }
    c.at = at;
    c.lo = lo;
    c.hi = hi;
    c.model_at = by_uplink ? any.model.up_star_bps : any.model.rtt_star_us;
    s->crossing[s->n_crossings++] = c;
}

static nf_status find_median_error(cl_sweep *s, nf_error *err)
{
    size_t n = 0;
    int64_t *e = nf_alloc_array(s->n_cells + 1, sizeof(*e), NF_MEM_CLIENT);
    if (!e) return nf_fail(err, NF_ENOMEM, "sweep", "no memory for %zu cells", s->n_cells);
    for (size_t i = 0; i < s->n_cells; i++)
        if (isfinite(s->cell[i].error)) e[n++] = (int64_t)(s->cell[i].error * 1e9);
    cl_sort(e, n);
    s->median_error = n ? cl_median(e, n) / 1e9 : NAN;
    nf_free(e);
    return NF_OK;
}

nf_status cl_sweep_conclude(cl_sweep *s, const cl_sweep_spec *spec, nf_error *err)
{
    s->n_crossings = 0;
    for (size_t b = 0; b < s->n_bases; b++) {
        for (size_t u = 0; u < spec->up_bps.n; u++)
            add_crossing(s, b, false, spec->up_bps.v[u]);
        for (size_t t = 0; t < spec->rtt_us.n; t++)
            add_crossing(s, b, true, spec->rtt_us.v[t]);
    }
    return find_median_error(s, err);
}

const char *cl_rate_text(char *to, size_t room, double bps)
{
    if (bps > 0 && isfinite(bps))
        snprintf(to, room, "%.3g Mbit/s", bps / 1e6);
    else
        snprintf(to, room, "unlimited");
    return to;
}

/* A point of the crossing's axis as text. */
static const char *point(char *to, size_t room, const cl_crossing *c, double v)
{
    if (!isfinite(v))
        snprintf(to, room, "beyond the grid");
    else if (c->by_uplink)
        cl_rate_text(to, room, v);
    else
        cl_time_text(to, room, v * 1e3);
    return to;
}

void cl_crossing_text(char *to, size_t room, const cl_sweep *s, const cl_crossing *c)
{
    char held[48], at[32], lo[32], hi[32], model[32], time[32], size[32];
    const cl_base *b = &s->base[c->base];
    cl_bytes_text(size, sizeof(size), b->up_bytes);
    if (c->by_uplink)
        snprintf(held, sizeof(held), "round trip %s",
                 cl_time_text(time, sizeof(time), (double)c->held * 1e3));
    else
        snprintf(held, sizeof(held), "uplink %s",
                 cl_rate_text(time, sizeof(time), (double)c->held));
    if (isfinite(c->model_at))
        point(model, sizeof(model), c, c->model_at);
    else
        snprintf(model, sizeof(model), "the edge everywhere");
    if (c->kind == CL_CROSSES)
        snprintf(to, room, "%s (%s), %s: the cloud wins %s %s [%s to %s]; the model says %s",
                 b->model, size, held, c->by_uplink ? "above" : "below",
                 point(at, sizeof(at), c, c->at), point(lo, sizeof(lo), c, c->lo),
                 point(hi, sizeof(hi), c, c->hi), model);
    else
        snprintf(to, room, "%s (%s), %s: the %s wins everywhere in the grid; the model says %s",
                 b->model, size, held, c->kind == CL_EDGE_ALWAYS ? "edge" : "cloud", model);
}

/* The one line of a base without crossings. */
static void base_text(char *to, size_t room, const cl_sweep *s, size_t base)
{
    char size[32];
    size_t edge = 0, cloud = 0;
    for (size_t i = 0; i < s->n_cells; i++) {
        if (s->cell[i].base != base || !s->cell[i].pairs) continue;
        edge += s->cell[i].verdict == CL_EDGE_FASTER;
        cloud += s->cell[i].verdict == CL_CLOUD_FASTER;
    }
    cl_bytes_text(size, sizeof(size), s->base[base].up_bytes);
    snprintf(to, room,
             "%s (%s): edge faster in %zu cells, cloud faster in %zu, no crossing between",
             s->base[base].model, size, edge, cloud);
}

bool cl_sweep_answer(char *to, size_t room, const cl_sweep *s, size_t i)
{
    for (size_t b = 0; b < s->n_bases; b++) {
        bool any = false;
        for (size_t k = 0; k < s->n_crossings; k++) {
            const cl_crossing *c = &s->crossing[k];
            if (c->base != b || c->kind != CL_CROSSES) continue;
            any = true;
            if (i-- > 0) continue;
            cl_crossing_text(to, room, s, c);
            return true;
        }
        if (any) continue;
        if (i-- > 0) continue;
        base_text(to, room, s, b);
        return true;
    }
    return false;
}

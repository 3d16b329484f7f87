/* report_text.c - prints tables. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_text.h"

#include "clients/lib/json_run.h"
#include "clients/lib/report_parts.h"
#include "clients/lib/text_out.h"

#include <stdio.h>

/* "p99" or, when the count does not carry it, "n/a". */
static const char *cell(char *to, size_t room, bool shown, double ns)
{
    if (shown) return cl_time_text(to, room, ns);
    snprintf(to, room, "n/a");
    return to;
}

static void print_errors(const cl_recorder *r, const char *name, FILE *to)
{
    if (!cl_recorder_errors(r)) return;
    fprintf(to, "%-10s ", name);
    const char *sep = "";
    for (int f = CL_NONE + 1; f < CL_FAILURE_COUNT; f++) {
        if (!r->error[f]) continue;
        fprintf(to, "%s%llu x %s", sep, (unsigned long long)r->error[f],
                cl_failure_text((cl_failure)f));
        sep = ", ";
    }
    fputc('\n', to);
}

static void print_side(const cl_side *side, const cl_side_summary *s, FILE *to)
{
    char a[32], b[32], c[32], d[32], e[32];
    const uint64_t errors = cl_recorder_errors(&side->rec);
    if (!side->reachable) {
        fprintf(to, "%-10s not reached: %s\n", side->target->name, side->why);
        return;
    }
    fprintf(to, "%-9s %9s %9s %9s", side->target->name,
            cell(a, sizeof(a), s->q[0].shown, s->q[0].ns),
            cell(b, sizeof(b), s->q[1].shown, s->q[1].ns),
            cell(c, sizeof(c), s->q[3].shown, s->q[3].ns));
    fprintf(to, " %7.1f%% %9s %9s",
            side->rec.issued ? 100.0 * (double)errors / (double)side->rec.issued : 0,
            cell(d, sizeof(d), s->server_known, s->server_ns),
            cell(e, sizeof(e), s->server_known, s->network_ns));
    cl_bytes_text(a, sizeof(a), cl_recorder_each(&side->rec, side->rec.up_total));
    cl_bytes_text(b, sizeof(b), cl_recorder_each(&side->rec, side->rec.down_total));
    fprintf(to, " %9s %9s  %s%s%s\n", a, b, side->served.known ? side->served.mode : "-",
            side->served.known ? "/" : "", side->served.precision);
}

static void print_limits(const cl_comparison *c, FILE *to)
{
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++) {
        const unsigned p = cl_permilles[i];
        char name[16];
        if (p == 950 || cl_quantile_shown(c->pairs->done, p)) continue;
        fprintf(to, "%s not shown: needs n >= %u\n", cl_permille_name(name, sizeof(name), p),
                (CL_BEYOND * 1000 + 999 - p) / (1000 - p));
        break; /* the ones above need more still */
    }
}

static void print_agreement(const cl_agreement *g, FILE *to)
{
    if (g->rows)
        fprintf(to, "answers    same class %llu of %llu (%.1f %%), largest difference %.3g\n",
                (unsigned long long)g->same, (unsigned long long)g->rows,
                100.0 * (double)g->same / (double)g->rows, g->max_abs_diff);
    if (g->unequal)
        fprintf(to, "answers    %llu replies of different size, not compared\n",
                (unsigned long long)g->unequal);
}

static void print_scores(const cl_side *side, FILE *to)
{
    const cl_scores *s = &side->scores;
    if (s->asked)
        fprintf(to,
                "%-10s accuracy %.2f %%, precision %.2f %%, recall %.2f %% (means of %zu "
                "classes, %llu answers)\n",
                side->target->name, 100 * cl_scores_accuracy(s), 100 * cl_scores_precision(s),
                100 * cl_scores_recall(s), s->n, (unsigned long long)s->asked);
}

/* Payload TCP carried, and what is modelled beside the measured figures. */
static void print_costs(const cl_comparison *c, int which, FILE *to)
{
    const cl_side *side = &c->pairs->side[which];
    json_t *tcp = cl_json_tcp_bytes(side), *energy = cl_json_energy(c, which);
    json_t *cost = which ? cl_json_cost(c) : NULL;
    if (json_is_object(tcp))
        fprintf(to, "%-10s TCP payload a request: %.0f B up, %.0f B down, %.1f B sent again\n",
                side->target->name, cl_json_number(tcp, "up"), cl_json_number(tcp, "down"),
                cl_json_number(tcp, "again"));
    if (json_is_object(energy))
        fprintf(to, "%-10s modelled: compute %.3g J, the device's radio %.3g J%s a request",
                side->target->name, cl_json_number(energy, "compute_j"),
                cl_json_number(energy, "radio_j"),
                json_is_true(json_object_get(energy, "extrapolated")) ? " (extrapolated)" : "");
    if (json_is_object(energy) && json_is_object(cost))
        fprintf(to, ", %.3g USD a million", cl_json_number(cost, "usd_per_million"));
    if (json_is_object(energy)) fputc('\n', to);
    json_decref(tcp);
    json_decref(energy);
    json_decref(cost);
}

/* A side that answered at first and then no more. */
static void print_gone(const cl_comparison *c, FILE *to)
{
    for (int s = 0; s < 2; s++) {
        const cl_side *side = &c->pairs->side[s];
        if (side->given_up)
            fprintf(to, "%-10s stopped answering, %zu of %zu pairs are valid; first failure: %s\n",
                    side->target->name, c->both, c->pairs->done, side->why);
    }
}

void cl_text_comparison(const cl_comparison *c, FILE *to)
{
    char diff[32], lo[32], hi[32], shift[32];
    const cl_side *side = c->pairs->side;
    fprintf(to, "model %s, inputs: %s, n = %zu pairs in order ABBA%s%s%s\n", c->model, c->inputs,
            c->pairs->done, c->env->congestion[0] ? ", TCP " : "", c->env->congestion,
            c->pairs->interrupted ? ", interrupted" : "");
    fprintf(to, "%-9s %9s %9s %9s %8s %9s %9s %9s %9s  %s\n", "", "p50", "p90", "p99", "errors",
            "server", "network", "up/req", "down/req", "ran");
    for (int s = 0; s < 2; s++)
        print_side(&side[s], &c->side[s], to);
    if (c->both)
        fprintf(to, "difference %s [%s, %s] edge minus cloud, shift %s (paired bootstrap 95 %%)\n",
                cl_time_text(diff, sizeof(diff), c->diff_ns),
                cl_time_text(lo, sizeof(lo), c->ci.lo), cl_time_text(hi, sizeof(hi), c->ci.hi),
                cl_time_text(shift, sizeof(shift), c->shift_ns));
    print_agreement(&c->pairs->agreement, to);
    for (int s = 0; s < 2; s++) {
        print_scores(&side[s], to);
        print_costs(c, s, to);
    }
    for (int s = 0; s < 2; s++)
        if (side[s].reachable) print_errors(&side[s].rec, side[s].target->name, to);
    print_gone(c, to);
    print_limits(c, to);
    fprintf(to, "%s\n", c->sentence);
}

/* client_doctor.c - nearfar-client doctor: what this host can emulate and measure, and why not.
 * Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/host_facts.h"

#include <jansson.h>
#include <stdio.h>

typedef struct doctor_opts {
    bool json;
} doctor_opts;

static const nf_opt rows[] = {CL_ROW_JSON(doctor_opts)};

static const cl_usage usage = {
    "doctor",
    "[options]",
    "Looks at what this host can emulate and measure, and says what to do about what is missing.\n"
    "It changes nothing: devices and queues are tried in a network namespace of their own.",
    "nearfar-client doctor",
    {rows, NF_COUNT(rows)}};

static json_t *fact_json(const cl_host_fact *f)
{
    return json_pack("{s:s,s:s,s:b,s:s,s:s}", "name", f->name, "use", f->use, "fine", f->fine,
                     "found", f->found, "cure", f->cure);
}

static bool print_json(const cl_host_fact *facts, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, fact_json(&facts[i]));
    json_t *j = json_pack("{s:s,s:o}", "schema", "nearfar-client/1", "host", list);
    const bool fine = j && json_dumpf(j, stdout, JSON_INDENT(2)) == 0;
    json_decref(j);
    if (fine) fputc('\n', stdout);
    return fine;
}

static void print_table(const cl_host_fact *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const cl_host_fact *f = &facts[i];
        fprintf(stdout, "%-4s %-11s %s (%s)\n", f->fine ? "ok" : "-", f->name, f->found, f->use);
        if (f->cure[0]) fprintf(stdout, "                 -> %s\n", f->cure);
    }
}

int cl_cmd_doctor(int argc, char **argv)
{
    doctor_opts o = {0};
    cl_host_fact facts[CL_HOST_FACTS_MOST];
    int code;

    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    const size_t n = cl_host_facts_get(facts);
    if (!o.json) print_table(facts, n);
    return o.json && !print_json(facts, n) ? CL_EXIT_LOCAL : CL_EXIT_OK;
}

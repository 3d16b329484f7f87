/* report_json.h - results as one JSON object, schema nearfar-client/1; durations are whole
 * microseconds. Layer: clients. Thread rule: no shared state. */
#ifndef CL_REPORT_JSON_H
#define CL_REPORT_JSON_H

#include "clients/lib/comparison.h"
#include "clients/lib/scenario.h"

#include <jansson.h>
#include <stdio.h>

#define CL_SCHEMA "nearfar-client/1"

/** {"schema":…,"run":{…}} to add to; NULL when there is no memory. */
json_t *cl_json_root(const cl_env *env, uint64_t seed);

/** Nanoseconds as whole microseconds, or null. */
json_t *cl_json_us(bool known, double ns);

/** Bytes of one request, averages, as whole numbers. */
json_t *cl_json_bytes(const cl_recorder *r);

/** Every kind of failure with its count. */
json_t *cl_json_errors(const cl_recorder *r);

/** What the kernel says of the connection, or null. */
json_t *cl_json_tcp(const cl_tcp_facts *f);

/** The whole of a comparison. */
json_t *cl_json_comparison(const cl_comparison *c);

/** Prints the object and a line end to `to`, and releases it. NF_ENOMEM (j is NULL), NF_EIO. */
nf_status cl_json_print(json_t *j, FILE *to, nf_error *err);

#endif /* CL_REPORT_JSON_H */

/* status.h - how a status looks on the wire: THE table. Layer: server/api. Thread rule: no shared
 * state. */
#ifndef SRV_STATUS_H
#define SRV_STATUS_H

#include "server/route/request.h"

/** HTTP status of `st`; 0 when the table has no row for it (a test walks NF_STATUS_MAP). */
int srv_status_code(nf_status st);

/**
 * Makes the error reply {"error":"<what was expected, what came, where>","code":"EINVAL"}.
 *
 * err: its text; NULL or empty takes the status' own. Sets Retry-After for NF_EBUSY and
 * WWW-Authenticate for NF_EAUTH.
 */
void srv_fail(srv_req *req, nf_status st, const nf_error *err);

#endif /* SRV_STATUS_H */

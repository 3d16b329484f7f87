/* tls.h - TLS as a client, on bytes in memory; knows no socket. Layer: clients/net.
 * Thread rule: one owner; a cl_trust is const after it is made and may be shared by sessions. */
#ifndef CL_TLS_H
#define CL_TLS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct cl_trust cl_trust;

/** Whom to believe: the certificates in `ca_file` (PEM), or the system's when it is NULL or "".
 * insecure: anyone. NF_ENOTFOUND: no certificate in the file; NF_ENOMEM, NF_EIO. */
nf_status cl_trust_create(cl_trust **out, const char *ca_file, bool insecure, nf_error *err);

/** After the last session; accepts a pointer to NULL. */
void cl_trust_destroy(cl_trust **t);

typedef struct cl_tls cl_tls;

typedef enum cl_tls_step { CL_TLS_READY, CL_TLS_MORE, CL_TLS_FAILED } cl_tls_step;

/** A session to the server called `host` (a name or an address). NF_ENOMEM, NF_EIO. */
nf_status cl_tls_create(cl_tls **out, const cl_trust *trust, const char *host, nf_error *err);

/** Accepts a pointer to NULL. */
void cl_tls_destroy(cl_tls **t);

/** Takes bytes that came from the server; false when there is no memory. */
bool cl_tls_feed(cl_tls *t, nf_bytes in);

/** Goes on with the handshake. MORE: feed it; there may be bytes to send in any case. */
cl_tls_step cl_tls_shake(cl_tls *t);

/** Encrypts; false on failure. After the handshake. */
bool cl_tls_write(cl_tls *t, nf_bytes plain);

/** Decrypts into `to`. READY: *n bytes, 0 = the server ended the stream. */
cl_tls_step cl_tls_read(cl_tls *t, char *to, size_t room, size_t *n);

/** What is to be sent to the server, valid until the next call; cl_tls_sent forgets it. */
nf_bytes cl_tls_out(const cl_tls *t);
void cl_tls_sent(cl_tls *t);

/** Why it failed; never NULL, valid as long as the session. */
const char *cl_tls_why(const cl_tls *t);

#endif /* CL_TLS_H */

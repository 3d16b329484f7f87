/* failure.c - names of failures, and what library codes mean. Layer: clients/net. */
#include "clients/net/failure.h"

#include "engine/base/bytes.h"

#include <uv.h>

static const struct {
    const char *key, *text;
} names[] = {
#define X(name, key, text) {key, text},
    CL_FAILURE_MAP(X)
#undef X
};

static const struct {
    int code;
    cl_failure failure;
} uv_codes[] = {
    {UV_ECONNREFUSED, CL_REFUSED},
    {UV_EHOSTUNREACH, CL_UNREACHABLE},
    {UV_ENETUNREACH, CL_UNREACHABLE},
    {UV_EACCES, CL_UNREACHABLE},
    {UV_EADDRNOTAVAIL, CL_LOCAL},
    {UV_ETIMEDOUT, CL_CONNECT_TIMEOUT},
    {UV_ENOMEM, CL_LOCAL},
    {UV_EMFILE, CL_LOCAL},
    {UV_ENFILE, CL_LOCAL},
    {UV_EAFNOSUPPORT, CL_UNREACHABLE},
};

const char *cl_failure_key(cl_failure f)
{
    return (size_t)f < NF_COUNT(names) ? names[f].key : "unknown";
}

const char *cl_failure_text(cl_failure f)
{
    return (size_t)f < NF_COUNT(names) ? names[f].text : "unknown failure";
}

cl_failure cl_failure_from_uv(int code)
{
    if (code >= 0) return CL_NONE;
    for (size_t i = 0; i < NF_COUNT(uv_codes); i++)
        if (uv_codes[i].code == code) return uv_codes[i].failure;
    return CL_CUT;
}

cl_failure cl_failure_from_http(int status)
{
    if (status >= 200 && status <= 299) return CL_NONE;
    if (status >= 400 && status <= 499) return CL_HTTP_4XX;
    return status >= 500 && status <= 599 ? CL_HTTP_5XX : CL_HTTP_OTHER;
}

int cl_failure_is_unreachable(cl_failure f)
{
    return f == CL_NAME || f == CL_REFUSED || f == CL_UNREACHABLE || f == CL_CONNECT_TIMEOUT ||
           f == CL_TLS;
}

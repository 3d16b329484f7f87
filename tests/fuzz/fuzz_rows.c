/* fuzz_rows.c - calibration files of any bytes: refused, or rows that are all finite. Layer: tests.
 */
#include "server/table/float_rows.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(nf_status st, srv_rows *r, size_t size)
{
    if (st && (r->v || r->n || r->width)) abort();
    if (!st && r->n && (r->width == 0 || r->n * r->width > size)) abort();
    for (size_t i = 0; !st && i < r->n * r->width; i++)
        if (!isfinite(r->v[i])) abort();
    srv_rows_fini(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nf_bytes file = {data, size};
    srv_rows r;
    nf_status st = srv_rows_from_npy(&r, file, "in", NULL);
    check(st, &r, size);
    st = srv_rows_from_csv(&r, file, "in", NULL);
    check(st, &r, size);
    return 0;
}

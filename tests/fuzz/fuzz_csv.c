/* fuzz_csv.c - tables of any bytes: cells lie in the record, decimals are those of the C library.
 * Layer: tests. */
#include "server/table/csv_read.h"
#include "server/table/decimal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cell(nf_span cell)
{
    char text[SRV_DECIMAL_MOST + 1];
    double d = 0, want;
    float f = 0, want_f;
    if (cell.len > SRV_DECIMAL_MOST) return;
    memcpy(text, cell.s, cell.len);
    text[cell.len] = '\0';
    if (srv_decimal_f64(&d, cell.s, cell.len) != srv_decimal_f32(&f, cell.s, cell.len)) abort();
    if (!srv_decimal_f64(&d, cell.s, cell.len)) return;
    want = strtod(text, NULL);
    want_f = strtof(text, NULL);
    if (memcmp(&d, &want, sizeof(d)) != 0 || memcmp(&f, &want_f, sizeof(f)) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = {'\0', ',', ';', '\t'};
    srv_csv c;
    bool more = true;
    uint64_t line = 0;
    if (size < 2) return 0;
    FILE *f = fmemopen((void *)(data + 1), size - 1, "r");
    if (!f) return 0;
    srv_csv_init(&c, f, "in", separators[data[0] % sizeof(separators)]);
    while (more) {
        const nf_status st = srv_csv_next(&c, &more, NULL);
        if (st && st != NF_EINVAL) break;
        if (more && c.line <= line) abort();
        line = c.line;
        for (size_t i = 0; more && i < c.n_cells; i++)
            check_cell(c.cell[i]);
    }
    if (!more && c.bytes != size - 1) abort();
    srv_csv_fini(&c);
    fclose(f);
    return 0;
}

/* rows.c - fits the shape of a value to an input of the model. Layer: server/codec. Thread rule: no
 * shared state. */
#include "server/codec/tensor_in.h"

#include <stdio.h>

eng_dtype srv_wire_dtype(const eng_io *io)
{
    const bool half = io->dtype == ENG_F16 || io->dtype == ENG_BF16;
    return io->quantized || half ? ENG_F32 : io->dtype;
}

/* Same dimensions in the same order when those of 1 are left out. */
static bool same_shape(const eng_io *io, const size_t *dim, int rank)
{
    int k = 0;
    for (int i = io->batched ? 1 : 0; i < io->rank; i++) {
        if (io->dim[i] == 1) continue;
        while (k < rank && dim[k] == 1)
            k++;
        if (k == rank || dim[k++] != (size_t)io->dim[i]) return false;
    }
    while (k < rank && dim[k] == 1)
        k++;
    return k == rank;
}

bool srv_is_one_row(const eng_io *io, const size_t *dim, int rank)
{
    return (rank == 1 && dim[0] == io->row_elems) || same_shape(io, dim, rank);
}

void srv_shape_text(char *out, size_t size, const eng_io *io)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < io->rank && n < size; i++) {
        const long long d = i == 0 && io->batched ? -1 : io->dim[i];
        n += (size_t)snprintf(out + n, size - n, "%s%lld", i ? ", " : "[", d);
    }
    if (n < size) snprintf(out + n, size - n, io->rank ? "]" : "[]");
}

static nf_status misfit(const eng_io *io, const size_t *dim, int rank, nf_error *err)
{
    char want[128], got[128] = "";
    size_t n = 0;
    srv_shape_text(want, sizeof(want), io);
    for (int i = 0; i < rank && n < sizeof(got); i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%zu", i ? ", " : "", dim[i]);
    return nf_fail(err, NF_EINVAL, io->name,
                   "expected shape %s, %zu value%s an instance (nested or flat), got shape [%s]",
                   want, io->row_elems, io->row_elems == 1 ? "" : "s", got);
}

nf_status srv_rows_of(size_t *rows, const eng_io *io, const size_t *dim, int rank, size_t count,
                      nf_error *err)
{
    const bool one_flat = rank == 1 && io->row_elems > 1 && dim[0] == io->row_elems;
    const bool scalar = rank == 0 && io->row_elems == 1;
    size_t whole;
    *rows = one_flat || rank == 0 ? 1 : dim[0];
    if (one_flat || scalar) return NF_OK;
    if (!io->batched && same_shape(io, dim, rank) && count == io->row_elems)
        return *rows = 1, NF_OK;
    if (rank == 0 || !nf_mul_size(&whole, *rows, io->row_elems) || whole != count)
        return misfit(io, dim, rank, err);
    if (rank == 1 || srv_is_one_row(io, dim + 1, rank - 1)) return NF_OK;
    return misfit(io, dim, rank, err);
}

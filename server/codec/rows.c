/* rows.c - fits the shape of a value to an input of the model. Layer: server/codec. Thread rule: no
 * shared state. */
#include "server/codec/tensor_in.h"

#include <stdio.h>
#include <string.h>

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
    if (io->rank < 0) {
        snprintf(out, size, "[...]");
        return;
    }
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
    if (io->open)
        return nf_fail(err, NF_EINVAL, io->name, "expected shape %s (-1: any size), got shape [%s]",
                       want, got);
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

/* Dimensions first .. first + n - 1 of a value as the io's own, behind a batch of 1 where `lead`.
 */
static bool take_dims(eng_view *view, const eng_io *io, const size_t *dim, int n, bool lead)
{
    view->rank = n + lead;
    if (view->rank > ENG_MAX_RANK || (io->rank >= 0 && view->rank != io->rank)) return false;
    if (lead) view->dim[0] = 1;
    for (int i = 0; i < n; i++) {
        const int at = i + lead;
        const bool any = io->rank < 0 || io->dim[at] < 0 || (at == 0 && io->batched);
        if (!any && (size_t)io->dim[at] != dim[i]) return false;
        view->dim[at] = (int64_t)dim[i];
    }
    return true;
}

static nf_status fit_open(eng_view *view, const eng_io *io, const size_t *dim, int rank,
                          nf_error *err)
{
    size_t less[SRV_NEST_MOST];
    if (take_dims(view, io, dim, rank, false)) return NF_OK;
    if (io->batched && take_dims(view, io, dim, rank, true)) return NF_OK;
    if (rank > 0 && dim[0] == 1 && take_dims(view, io, dim + 1, rank - 1, false)) return NF_OK;
    if (io->batched && rank > 1 && dim[1] == 1) { /* a list of values that bring a batch of 1 */
        less[0] = dim[0];
        memcpy(less + 1, dim + 2, (size_t)(rank - 2) * sizeof(*dim));
        if (take_dims(view, io, less, rank - 1, false)) return NF_OK;
    }
    return misfit(io, dim, rank, err);
}

nf_status srv_fit(eng_view *view, size_t *rows, const eng_io *io, const size_t *dim, int rank,
                  size_t count, nf_error *err)
{
    nf_status st;
    if (io->open) {
        if ((st = fit_open(view, io, dim, rank, err))) return st;
        *rows = io->batched || io->rank < 0 ? (view->rank ? (size_t)view->dim[0] : 1) : 1;
        return NF_OK;
    }
    if ((st = srv_rows_of(rows, io, dim, rank, count, err))) return st;
    view->rank = io->rank;
    memcpy(view->dim, io->dim, sizeof(view->dim));
    if (io->batched) view->dim[0] = (int64_t)*rows;
    return NF_OK;
}

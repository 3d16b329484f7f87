/* codec.h - one inference request: body to tensors, tensors to reply. Layer: server/codec. Thread
 * rule: a call belongs to one request. */
#ifndef SRV_CODEC_H
#define SRV_CODEC_H

#include "engine/model.h"
#include "server/base/req_arena.h"
#include "server/base/text_buf.h"

#define SRV_CALL_IO_MOST 32

/* What the codecs need to know of a model; borrowed. */
typedef struct srv_face {
    const char *name, *version;
    const eng_info *info;
    const char *const *labels; /* of the elements of the only output, or NULL */
} srv_face;

typedef struct srv_call {
    const eng_info *info;
    size_t rows;
    bool row_form; /* "instances" asked: answer "predictions", else "outputs" */
    bool has_id;
    nf_span id; /* Open Inference Protocol: echoed */
    size_t n_asked;
    unsigned char asked[SRV_CALL_IO_MOST]; /* outputs to answer, in this order */
    eng_view in[SRV_CALL_IO_MOST], out[SRV_CALL_IO_MOST];
} srv_call;

/**
 * Decodes a predict body: {"instances": …} or {"inputs": …}.
 *
 * body: the text; call->in gets one view for each input, in `arena`. NF_EINVAL (what was expected,
 * what came, at which byte), NF_ENOTIMPL, NF_ETOOLARGE, NF_ENOMEM. Cost: one pass.
 */
nf_status srv_predict_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                             nf_error *err);

/** Memory for the outputs, in `arena`. NF_ETOOLARGE. */
nf_status srv_call_outputs(srv_call *call, srv_arena *arena, nf_error *err);

/** Writes the reply of predict; see docs/api.md for its form. */
void srv_predict_encode(srv_buf *b, const srv_call *call, const srv_face *face);

/** The same for the Open Inference Protocol's JSON form. */
nf_status srv_infer_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                           nf_error *err);
void srv_infer_encode(srv_buf *b, const srv_call *call, const srv_face *face);

/** Values from..from+count of a view, flat and with commas between. */
void srv_write_flat(srv_buf *b, const eng_view *v, size_t from, size_t count);

/** Values nested as dim[0..rank-1]; rank 0 writes one bare value. */
void srv_write_nested(srv_buf *b, const eng_view *v, size_t from, const size_t *dim, int rank);

/** Index of the io called `name`, or -1. */
int srv_io_find(const eng_io *ios, size_t n, nf_span name);

#endif /* SRV_CODEC_H */

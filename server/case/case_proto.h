/* case_proto.h - the TensorProto message of ONNX test data. Layer: server/case. Thread rule: pure
 * function. */
#ifndef SRV_CASE_PROTO_H
#define SRV_CASE_PROTO_H

#include "server/case/case.h"

/**
 * Reads one serialized TensorProto (onnx.proto3: dims, data_type, raw_data or the typed fields).
 *
 * file: borrowed for the call. *out owns a copy of the elements, little endian, C order.
 * Returns NF_OK; NF_EFORMAT (malformed, says at which byte; element count is not the shape's);
 * NF_EUNSUPPORTED (complex, 8-bit and 4-bit floats …, external data, segments, sequences);
 * NF_ETOOLARGE; NF_ENOMEM.
 */
nf_status srv_recorded_proto(srv_recorded *out, nf_bytes file, nf_error *err);

#endif /* SRV_CASE_PROTO_H */

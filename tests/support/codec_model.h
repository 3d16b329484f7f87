/* codec_model.h - the face of a model with two inputs and two outputs, for codec tests: nothing
 * runs. Layer: tests. */
#ifndef TEST_CODEC_MODEL_H
#define TEST_CODEC_MODEL_H

#include "server/codec/codec.h"

/* a: FP32 [-1, 2, 1], b: INT64 [-1]; y: FP32 [-1, 2], z: BOOL [-1, 1] */
extern const eng_info codec_two;

/* x: quantized INT8 [-1, 3, 1]; p: quantized INT8 [-1, 3] */
extern const eng_info codec_one;

/* w: FP32 [2, 2] without a batch; v: FP32 [2] */
extern const eng_info codec_fixed;

/* o: FP32 [-1, -1, 2], open, in and out */
extern const eng_info codec_open;

/* t: BYTES [-1, 2], in and out */
extern const eng_info codec_text;

/** The only output becomes what came in: for models that run open. */
void codec_echo(srv_call *call);

/** Fills the outputs with 0.5, 1.5, 2.5 … (integers: 0, 1, 2 …). */
void codec_fill_outputs(srv_call *call);

#endif /* TEST_CODEC_MODEL_H */

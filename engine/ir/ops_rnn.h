/* ops_rnn.h - recurrent operators. Layer: ir. A row is explained in ops.h.
 *
 * LSTM, GRU and RNN have ONNX's inputs: x [t, n, in], w [d, gates * h, in], r [d, gates * h, h],
 * b [d, 2 * gates * h] (or d * gates * h of it), lengths [n], first states [d, n, h]; with
 * attr.rnn.batch_first x is [n, t, in] and states are [n, d, h]. Gates: i o f c, z r h, one.
 * Results: y [t, d, n, h] or [n, t, d, h], and the last states.
 *
 * UNIDIRECTIONAL_SEQUENCE_LSTM has TensorFlow Lite's 24: x, weights of i f c o, recurrent weights
 * of i f c o, peepholes of i f o, biases of i f c o, projection, its bias, output state, cell
 * state, norms of i f c o. Results: y [.., .., h], and the last states as the first ones are. */
#ifndef IR_OPS_RNN_H
#define IR_OPS_RNN_H

#define IR_RNN_MAP(X)                                                                              \
    X(LSTM, 3, 8, 3, rnn, any) /* .., lengths?, h?, c?, peepholes [d, 3 * h]? (i o f) */           \
    X(GRU, 3, 6, 2, rnn, any)  /* .., lengths?, h? */                                              \
    X(RNN, 3, 6, 2, rnn, any)  /* .., lengths?, h? */                                              \
    X(UNIDIRECTIONAL_SEQUENCE_LSTM, 1, 24, 3, sequence_lstm, any)                                  \
    X(SVDF, 3, 5, 2, svdf, any) /* x, feature and time weights, bias?, state; number: the rank */

#endif /* IR_OPS_RNN_H */

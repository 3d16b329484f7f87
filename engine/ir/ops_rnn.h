/* ops_rnn.h - recurrent operators. Layer: ir.
 * A row is explained in ops.h. */
#ifndef IR_OPS_RNN_H
#define IR_OPS_RNN_H

#define IR_RNN_MAP(X)

#endif /* IR_OPS_RNN_H */

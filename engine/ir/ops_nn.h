/* ops_nn.h - operators of networks: transposed convolution, resizing, norms, computed products.
 * Layer: ir. A row is explained in ops.h. */
#ifndef IR_OPS_NN_H
#define IR_OPS_NN_H

#define IR_NN_MAP(X)

#endif /* IR_OPS_NN_H */

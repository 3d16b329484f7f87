/* ops_ml.h - operators of classical machine learning. Layer: ir.
 * A row is explained in ops.h. */
#ifndef IR_OPS_ML_H
#define IR_OPS_ML_H

#define IR_ML_MAP(X)

#endif /* IR_OPS_ML_H */

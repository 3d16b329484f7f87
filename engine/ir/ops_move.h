/* ops_move.h - operators that move values: slices, gathers, padding, joins. Layer: ir.
 * A row is explained in ops.h. */
#ifndef IR_OPS_MOVE_H
#define IR_OPS_MOVE_H

#define IR_MOVE_MAP(X)

#endif /* IR_OPS_MOVE_H */

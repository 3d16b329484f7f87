/* ops_flow.h - control flow: bodies, loops, variables. Layer: ir.
 * A row is explained in ops.h. */
#ifndef IR_OPS_FLOW_H
#define IR_OPS_FLOW_H

#define IR_FLOW_MAP(X)                                                                             \
    X(ASSIGN, 2, 2, 1, assign, pair) /* variable, value; the result is a copy of the value */

#endif /* IR_OPS_FLOW_H */

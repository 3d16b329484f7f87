/* ops_flow.h - control flow: bodies, loops, variables. Layer: ir.
 * A row is explained in ops.h. Bodies stand in graph.bodies, attr.flow.body says which; their
 * inputs are the node's operands behind those named here, in order. */
#ifndef IR_OPS_FLOW_H
#define IR_OPS_FLOW_H

#define IR_FLOW_MAP(X)                                                                             \
    X(ASSIGN, 2, 2, 1, assign, pair) /* variable, value; the result is a copy of the value */      \
    X(IF, 1, 0, 0, flow, flow)       /* condition, operands; body: then, else */                   \
    X(WHILE, 1, 0, 0, flow, flow)    /* carried; body: carried to BOOL, carried to carried */      \
    X(LOOP, 2, 0, 0, flow, flow)     /* most trips?, condition?, attr.flow.kept carried, others;   \
                                        body[0]: trip, condition, carried, others to condition,    \
                                        carried, slices; results: carried, stacked slices */       \
    X(SCAN, 1, 0, 0, flow, flow)     /* attr.flow.kept carried, attr.flow.sliced stacks, others;   \
                                        body[0]: carried, a slice of each stack, others to         \
                                        carried, slices; results: carried, stacked slices */

#endif /* IR_OPS_FLOW_H */

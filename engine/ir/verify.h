/* verify.h - the parts of ir_graph_verify. Layer: ir (inside). */
#ifndef IR_VERIFY_H
#define IR_VERIFY_H

#include "engine/ir/graph.h"

/** Brings the nodes into an order in which they can run; a stable one when they are in order
 * already. maker[tensor] is the node that writes it or IR_NONE, and is renewed. NF_EFORMAT names a
 * tensor of a cycle; NF_ENOMEM. */
nf_status ir_sort_nodes(ir_graph *g, int32_t *maker, nf_error *err);

/** Element types, quantization and parameters of one node, whose shapes are known. */
nf_status ir_check_node(const ir_graph *g, const ir_node *node, const int32_t *maker,
                        nf_error *err);

/** Quantization of one tensor, whose shape is known: 0, 1 or dim[axis] scales. */
nf_status ir_check_quant(const ir_tensor *t, nf_error *err);

#endif /* IR_VERIFY_H */

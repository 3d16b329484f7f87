/* krn_types.h - the kernels' names of the element types. Layer: ir. Thread rule: pure functions. */
#ifndef IR_KRN_TYPES_H
#define IR_KRN_TYPES_H

#include "engine/kernels/krn_cast.h"
#include "engine/kernels/krn_order.h"
#include "engine/tensor.h"

/** False when they do not know it (ENG_STR). */
bool ir_krn_type(krn_type *out, eng_dtype t);

/** The order of its elements; never NULL. */
krn_compare_fn ir_compare_of(eng_dtype t);

#endif /* IR_KRN_TYPES_H */

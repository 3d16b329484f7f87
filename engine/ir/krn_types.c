/* krn_types.c - the kernels' names of the element types. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/krn_types.h"

bool ir_krn_type(krn_type *out, eng_dtype t)
{
    static const int8_t types[ENG_DTYPE_COUNT] = {
        [ENG_F32] = KRN_F32, [ENG_I8] = KRN_I8,     [ENG_U8] = KRN_U8,     [ENG_I16] = KRN_I16,
        [ENG_I32] = KRN_I32, [ENG_I64] = KRN_I64,   [ENG_BOOL] = KRN_BOOL, [ENG_F64] = KRN_F64,
        [ENG_F16] = KRN_F16, [ENG_BF16] = KRN_BF16, [ENG_U16] = KRN_U16,   [ENG_U32] = KRN_U32,
        [ENG_U64] = KRN_U64, [ENG_STR] = -1,
    };
    *out = types[t] < 0 ? KRN_F32 : (krn_type)types[t];
    return types[t] >= 0;
}

krn_compare_fn ir_compare_of(eng_dtype t)
{
    krn_type type;
    return ir_krn_type(&type, t) ? krn_compare_of(type) : krn_compare_text;
}

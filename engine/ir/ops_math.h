/* ops_math.h - operators on numbers: elementwise, comparisons, reductions. Layer: ir.
 * A row is explained in ops.h. Binary ops broadcast as NumPy does. */
#ifndef IR_OPS_MATH_H
#define IR_OPS_MATH_H

#define IR_MATH_MAP(X)                                                                             \
    X(ABS, 1, 1, 1, same, elem)                                                                    \
    X(NEG, 1, 1, 1, same, elem)                                                                    \
    X(SIGN, 1, 1, 1, same, elem)                                                                   \
    X(CEIL, 1, 1, 1, same, elem)                                                                   \
    X(FLOOR, 1, 1, 1, same, elem)                                                                  \
    X(ROUND, 1, 1, 1, same, elem) /* halves to even */                                             \
    X(SQRT, 1, 1, 1, same, elem)                                                                   \
    X(RSQRT, 1, 1, 1, same, elem)                                                                  \
    X(SQUARE, 1, 1, 1, same, elem)                                                                 \
    X(RECIPROCAL, 1, 1, 1, same, elem)                                                             \
    X(EXP, 1, 1, 1, same, elem)                                                                    \
    X(LOG, 1, 1, 1, same, elem)                                                                    \
    X(SIN, 1, 1, 1, same, elem)                                                                    \
    X(COS, 1, 1, 1, same, elem)                                                                    \
    X(TAN, 1, 1, 1, same, elem)                                                                    \
    X(ASIN, 1, 1, 1, same, elem)                                                                   \
    X(ACOS, 1, 1, 1, same, elem)                                                                   \
    X(ATAN, 1, 1, 1, same, elem)                                                                   \
    X(SINH, 1, 1, 1, same, elem)                                                                   \
    X(COSH, 1, 1, 1, same, elem)                                                                   \
    X(ASINH, 1, 1, 1, same, elem)                                                                  \
    X(ACOSH, 1, 1, 1, same, elem)                                                                  \
    X(ATANH, 1, 1, 1, same, elem)                                                                  \
    X(ERF, 1, 1, 1, same, elem)                                                                    \
    X(TANH, 1, 1, 1, same, elem)                                                                   \
    X(LOGISTIC, 1, 1, 1, same, elem)                                                               \
    X(HARD_SWISH, 1, 1, 1, same, elem)                                                             \
    X(SELU, 1, 1, 1, same, elem)                                                                   \
    X(SOFTPLUS, 1, 1, 1, same, elem)                                                               \
    X(SOFTSIGN, 1, 1, 1, same, elem)                                                               \
    X(SILU, 1, 1, 1, same, elem)                                                                   \
    X(MISH, 1, 1, 1, same, elem)                                                                   \
    X(BITWISE_NOT, 1, 1, 1, same, elem)                                                            \
    X(LEAKY_RELU, 1, 1, 1, same, elem) /* attr.scalar.alpha, as the next four */                   \
    X(ELU, 1, 1, 1, same, elem)                                                                    \
    X(CELU, 1, 1, 1, same, elem)                                                                   \
    X(THRESHOLDED_RELU, 1, 1, 1, same, elem)                                                       \
    X(HARD_SIGMOID, 1, 1, 1, same, elem) /* attr.scalar: alpha * x + beta within 0 .. 1 */         \
    X(SHRINK, 1, 1, 1, same, elem)       /* attr.scalar: alpha is the bias, beta the threshold */  \
    X(GELU, 1, 1, 1, same, elem)         /* attr.misc.flag: by tanh */                             \
    X(PRELU, 2, 2, 1, broadcast, any)    /* x, slope */                                            \
    X(POW, 2, 2, 1, broadcast, any)                                                                \
    X(MINIMUM, 2, 2, 1, broadcast, any)                                                            \
    X(MAXIMUM, 2, 2, 1, broadcast, any)                                                            \
    X(SQUARED_DIFFERENCE, 2, 2, 1, broadcast, any)                                                 \
    X(FLOOR_DIV, 2, 2, 1, broadcast, any)                                                          \
    X(FLOOR_MOD, 2, 2, 1, broadcast, any)                                                          \
    X(ATAN2, 2, 2, 1, broadcast, any)                                                              \
    X(BITWISE_AND, 2, 2, 1, broadcast, any)                                                        \
    X(BITWISE_OR, 2, 2, 1, broadcast, any)                                                         \
    X(BITWISE_XOR, 2, 2, 1, broadcast, any)                                                        \
    X(EQUAL, 2, 2, 1, broadcast, compare)                                                          \
    X(NOT_EQUAL, 2, 2, 1, broadcast, compare)                                                      \
    X(LESS, 2, 2, 1, broadcast, compare)                                                           \
    X(LESS_EQUAL, 2, 2, 1, broadcast, compare)                                                     \
    X(GREATER, 2, 2, 1, broadcast, compare)                                                        \
    X(GREATER_EQUAL, 2, 2, 1, broadcast, compare)                                                  \
    X(LOGICAL_AND, 2, 2, 1, broadcast, logic)                                                      \
    X(LOGICAL_OR, 2, 2, 1, broadcast, logic)                                                       \
    X(LOGICAL_XOR, 2, 2, 1, broadcast, logic)                                                      \
    X(LOGICAL_NOT, 1, 1, 1, same, logic)

#endif /* IR_OPS_MATH_H */
